"""The task `classification`: one class for each example, out of a fixed list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ftcore import Task, UsageError, hookimpl


@hookimpl
def register_tasks(register: Callable[[str, Callable[..., Task]], None]) -> None:
    """Register the task."""
    register("classification", classification)


def classification(
    label_smoothing: float = 0.0, class_weights: Literal["none", "balanced"] = "none"
) -> Task:
    """One class for each example; a linear head, trained with cross-entropy.

    `label_smoothing`, in [0, 1), moves that share of each target to all classes (Szegedy et al.
    2016, arXiv:1512.00567). `class_weights=balanced` weighs an example by N / (C * N_c), N_c being
    how many of the N training examples have its class. Both change the training loss alone.
    """
    from ftcore.default_plugins.classification.task import ClassificationTask

    if not 0 <= label_smoothing < 1:
        raise UsageError(
            f"classification: label_smoothing is {label_smoothing}; choose from 0 to below 1"
        )
    return ClassificationTask(label_smoothing, class_weights == "balanced")
