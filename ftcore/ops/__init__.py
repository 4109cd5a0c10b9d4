"""The ops of ftcore: what is computed in one pass over large tensors.

Each is a torch op, `torch.ops.ftcore.<name>`, with a pure-torch reference for every device, and
native kernels where a library of them is installed.
"""

from __future__ import annotations

from ftcore._native.location import Kernel
from ftcore.ops.classification import classification_statistics, classification_statistics_
from ftcore.ops.classification_layout import (
    ROW_LABELS,
    ROW_VALUES,
    ClassificationLayout,
    ClassificationState,
)
from ftcore.ops.cross_entropy import CrossEntropy
from ftcore.ops.library import cpu_kernel, cuda_kernel
from ftcore.ops.linear_classification import linear_classification_statistics_
from ftcore.ops.logit_bins import LOGIT_BINS
from ftcore.ops.multilabel import multilabel_statistics_
from ftcore.ops.multilabel_layout import MultilabelLayout, MultilabelState
from ftcore.ops.ranking import BinnedValue, auroc, average_precision
from ftcore.ops.regression import regression_statistics_
from ftcore.ops.regression_layout import RegressionLayout, RegressionState

cpu_kernel()  # after the ops above are defined
cuda_kernel()

__all__ = [
    "LOGIT_BINS",
    "ROW_LABELS",
    "ROW_VALUES",
    "BinnedValue",
    "ClassificationLayout",
    "ClassificationState",
    "CrossEntropy",
    "Kernel",
    "MultilabelLayout",
    "MultilabelState",
    "RegressionLayout",
    "RegressionState",
    "auroc",
    "average_precision",
    "classification_statistics",
    "classification_statistics_",
    "cpu_kernel",
    "cuda_kernel",
    "linear_classification_statistics_",
    "multilabel_statistics_",
    "regression_statistics_",
]
