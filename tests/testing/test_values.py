from __future__ import annotations

from typing import Any

import pytest
import torch

from ftcore.testing.values import is_close, is_same, leaves, mapped

NAN = torch.tensor([1.0, torch.nan])
ONE, ZERO = torch.ones(2), torch.zeros(2)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ONE, torch.ones(2), True),
        (NAN, NAN.clone(), True),
        (NAN, torch.tensor([1.0, 0.0]), False),
        (ONE, torch.ones(2, dtype=torch.float64), False),
        (ONE, torch.ones(3), False),
        (ONE, torch.nextafter(ONE, ONE + 1), False),
        ((ONE, {"a": ZERO}), (ONE, {"a": ZERO.clone()}), True),
        ((ONE, {"a": ZERO}), (ONE, {"a": ONE}), False),
        ([ONE], [ONE, ONE], False),
        (torch.tensor([torch.inf]), torch.tensor([torch.finfo(torch.float32).max]), False),
    ],
)
def test_nests_are_the_same_if_every_bit_is(one: Any, other: Any, expected: bool) -> None:
    assert is_same(one, other) is expected


def test_nests_are_close_within_the_tolerance() -> None:
    nearly = (ONE + 1e-4, NAN)
    assert is_close((ONE, NAN), nearly, rtol=1e-3, atol=0)
    assert not is_close((ONE, NAN), nearly, rtol=1e-5, atol=0)


def test_a_nest_keeps_its_form_when_mapped() -> None:
    nest = {"a": (ONE, [ZERO])}
    assert len(leaves(nest)) == 2
    assert is_same(mapped(nest, lambda tensor: tensor + 1), {"a": (ONE + 1, (ONE,))})
