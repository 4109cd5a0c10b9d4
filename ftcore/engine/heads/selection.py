"""Which of many heads to take, and the learning rates and weight decays that are searched."""

from __future__ import annotations

from collections.abc import Sequence

from ftcore.engine.heads.training import TrainedHead
from ftcore.engine.training import standing
from ftcore.errors import NumericalError
from ftcore.interfaces import Metric


def select(trained: Sequence[TrainedHead], metric: Metric) -> TrainedHead:
    """Return the head with the best validation score; ties go to the lower loss, then the first.

    Raises NumericalError where every head has failed.
    """
    usable = [each for each in trained if not each.failure]
    if not usable:
        raise NumericalError(f"none of {len(trained)} heads can be used: all of them failed")
    return max(usable, key=lambda each: _standing(each, metric))  # the first of equals


def _standing(each: TrainedHead, metric: Metric) -> tuple[float, float]:
    best = each.best
    assert best is not None  # a head without failure has an epoch
    return standing(metric, best.val[metric.name], best.val_loss)
