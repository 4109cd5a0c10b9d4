"""The temperature at which the softmax of logits fits targets best."""

from __future__ import annotations

import math

from torch import Tensor

BOUNDS = (0.1, 10.0)

_STEPS = 100  # Newton's method takes about five, bisection no more than fifty
_PRECISION = 1e-12


def fit_temperature(logits: Tensor, targets: Tensor) -> float:
    """Return the T in BOUNDS with the lowest mean -log softmax(z / T)[target]; Guo et al. 2017.

    Shapes: logits (N, C), targets (N,). The loss is convex in 1 / T, and its minimum is found by
    Newton's method, in float64, kept inside an interval that holds it. Where it lies beyond a
    bound, as it does at T = 0 where every target has the largest logit, the bound is returned.
    """
    z = logits.detach().double()
    z = z - z.gather(1, targets[:, None])  # so that the loss is the mean logsumexp(b z)
    low, high = 1 / BOUNDS[1], 1 / BOUNDS[0]
    if _derivatives(z, low)[0] >= 0:
        return BOUNDS[1]
    if _derivatives(z, high)[0] <= 0:
        return BOUNDS[0]
    inverse = 1.0
    for _ in range(_STEPS):
        slope, curvature = _derivatives(z, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = slope / curvature if curvature > 0 else math.inf
        following = inverse - step
        if not low < following < high:
            following = (low + high) / 2
        if abs(following - inverse) <= _PRECISION * inverse:
            break
        inverse = following
    return 1 / following


def _derivatives(z: Tensor, inverse: float) -> tuple[float, float]:
    """Return the first and second derivative of the mean loss by 1 / T."""
    p = (inverse * z).softmax(dim=1)
    mean = (p * z).sum(1)
    return float(mean.mean()), float(((p * z * z).sum(1) - mean * mean).mean())
