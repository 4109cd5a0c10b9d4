"""The ops of ftcore: what is computed in one pass over large tensors.

Each is a torch op, `torch.ops.ftcore.<name>`, with a pure-torch reference for every device, and
native kernels where a library of them is installed.
"""

from __future__ import annotations

from ftcore.ops.classification import classification_statistics, classification_statistics_
from ftcore.ops.classification_layout import (
    ROW_LABELS,
    ROW_VALUES,
    ClassificationLayout,
    ClassificationState,
)
from ftcore.ops.library import Kernel, cpu_kernel
from ftcore.ops.linear_classification import linear_classification_statistics_
from ftcore.ops.regression import regression_statistics_
from ftcore.ops.regression_layout import RegressionLayout, RegressionState

cpu_kernel()  # after the ops above are defined

__all__ = [
    "ROW_LABELS",
    "ROW_VALUES",
    "ClassificationLayout",
    "ClassificationState",
    "Kernel",
    "RegressionLayout",
    "RegressionState",
    "classification_statistics",
    "classification_statistics_",
    "cpu_kernel",
    "linear_classification_statistics_",
    "regression_statistics_",
]
