"""Checks that a plugin's own tests call: each asserts what `ftcore.interfaces` promises.

A check raises AssertionError with a sentence that says which promise is broken, and where.
"""

from __future__ import annotations

from ftcore.testing.backbone import check_backbone as check_backbone
from ftcore.testing.dataset import check_dataset as check_dataset
from ftcore.testing.freezing import check_freezing as check_freezing
from ftcore.testing.metric import check_metric as check_metric
from ftcore.testing.samples import tiny_backbone as tiny_backbone
from ftcore.testing.task import check_task as check_task

__all__ = [
    "check_backbone",
    "check_dataset",
    "check_freezing",
    "check_metric",
    "check_task",
    "tiny_backbone",
]
