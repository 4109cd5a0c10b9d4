"""Which of many heads to take, and the learning rates and weight decays that are searched."""

from __future__ import annotations

from collections.abc import Sequence

from ftcore.engine.evaluation import standing
from ftcore.engine.heads.training import TrainedHead
from ftcore.errors import NumericalError
from ftcore.interfaces import Metric


def learning_rates(optimizer: str) -> tuple[float, ...]:
    """Return eight peak learning rates for a linear head, half a decade apart.

    For AdamW around 1e-2, a run's default for a head alone: 1e-4 to 0.3. A step of plain SGD has
    the size of the gradient, so its rates lie a decade higher: 1e-3 to 3. DINOv2 searches
    thirteen rates of SGD, 1e-5 to 0.1, for batches of 256 (Oquab et al. 2023, arXiv:2304.07193);
    a batch of 32 and few epochs want larger ones, and a rate that diverges costs only itself.
    """
    lowest = -4.0 if optimizer == "adamw" else -3.0
    return tuple(float(f"{10 ** (lowest + half / 2):.1g}") for half in range(8))


def weight_decays(optimizer: str) -> tuple[float, ...]:
    """Return the weight decays to search: none, and some, a decade or two apart.

    A frozen backbone leaves a convex problem with D x C weights and often few examples, where the
    decay is the only regularization. AdamW's decay is decoupled from the gradient and is multiplied
    by the learning rate (Loshchilov & Hutter 2019, arXiv:1711.05101), so it must be far larger than
    SGD's, which is an L2 penalty, to do anything.
    """
    return (0.0, 1e-2, 1e-1, 1.0) if optimizer == "adamw" else (0.0, 1e-5, 1e-4, 1e-3)


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
