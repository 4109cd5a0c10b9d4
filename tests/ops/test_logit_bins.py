from __future__ import annotations

import numpy as np
import pytest
import torch

from ftcore.ops.logit_bins import LOGIT_BINS, bin_of
from tests.ops import multilabel_oracle as oracle


def test_bins_are_those_of_the_oracle() -> None:
    edges = np.ldexp(1 + np.arange(32)[:, None] / 32, np.arange(-10, 10)).astype(np.float32).ravel()
    around = [np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(1e9))]
    logits = np.concatenate([*around, [0.0, 1e-45, 3e38]]).astype(np.float32)
    logits = np.concatenate([logits, -logits])
    expected = [oracle.bin_of(float(logit)) for logit in logits]
    assert bin_of(torch.from_numpy(logits)).tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_other_types_are_rounded_to_float32(dtype: torch.dtype) -> None:
    logits = torch.cat([torch.linspace(-300, 300, 999).to(dtype), torch.randn(999).to(dtype)])
    assert bin_of(logits).tolist() == [oracle.bin_of(z) for z in logits.double().tolist()]


def test_bins_rise_with_the_logit_from_the_first_to_the_last() -> None:
    sizes = torch.logspace(-12, 12, 20000, base=2)
    bins = bin_of(torch.cat([-sizes.flip(0), torch.zeros(1), sizes]))
    assert (bins.diff() >= 0).all()
    assert sorted(set(bins.tolist())) == list(range(LOGIT_BINS))
