"""Bins for the logits of a binary decision, fine where probabilities change and few where not.

A bin is a function of the bits of the logit in float32 alone: the sign, the exponent and the first
five bits of the mantissa, as in HdrHistogram, so that every device counts the same. From 2^-8 to
2^8 either way each octave has 32 bins, no wider than 1/32 of the logits in them; one bin around 0
and one beyond each end hold the rest. csrc/core/multilabel.h has the same function.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOW, _HIGH = -8, 8  # exponents between which there are bins
_MANTISSA = 5  # bits

_STEPS = (_HIGH - _LOW) << _MANTISSA  # bins of each sign, but for the last
LOGIT_BINS = 2 * (_STEPS + 1) + 1


def bin_of(logits: Tensor) -> Tensor:
    """Return the bin of each finite logit, in int64, from 0 for the lowest to LOGIT_BINS - 1."""
    bits = logits.float().view(torch.int32)
    drop = 23 - _MANTISSA
    first = (127 + _LOW) << _MANTISSA  # what is left of 2^-8
    step = (((bits & 0x7FFFFFFF) >> drop) - first + 1).clamp(0, _STEPS + 1)
    return (_STEPS + 1 + step.where(bits >= 0, -step)).long()
