from __future__ import annotations

from math import fsum

import pytest
import torch

from ftcore.ops.ordered_sum import ordered_sum


@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 1000, 65536, 70001])
def test_sum_is_right_at_every_length(length: int) -> None:
    values = torch.rand(2, length, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = [fsum(row) for row in values.tolist()]
    assert ordered_sum(values).tolist() == pytest.approx(expected, rel=1e-14)


def test_order_is_in_blocks_of_256() -> None:
    # 2**53 + 1 + 1 is 2**53 from left to right: each 1 is lost, unless both are summed first.
    values = torch.zeros(512, dtype=torch.float64)
    values[0], values[256], values[511] = 2.0**53, 1.0, 1.0
    assert ordered_sum(values).item() == 2.0**53 + 2.0
