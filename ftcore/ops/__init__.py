"""The ops of ftcore: what is computed in one pass over large tensors.

Each is a torch op, `torch.ops.ftcore.<name>`, with a pure-torch reference for every device.
"""

from __future__ import annotations

from ftcore.ops.classification import classification_statistics, classification_statistics_
from ftcore.ops.classification_layout import ClassificationLayout, ClassificationState

__all__ = [
    "ClassificationLayout",
    "ClassificationState",
    "classification_statistics",
    "classification_statistics_",
]
