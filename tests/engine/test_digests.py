"""Digests see every bit of content, and nothing but content."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ftcore.engine.digests import combine, digest, digests

BASE = torch.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    "other",
    [
        BASE.clone(),
        BASE.T.contiguous().T,
        torch.arange(12.0).reshape(2, 6)[:, ::2] / 2,
        torch.nn.Parameter(BASE.clone()),
    ],
)
def test_strides_and_owners_do_not_count(other: Tensor) -> None:
    assert digest({"w": other}) == digest({"w": BASE})


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_the_device_does_not_count() -> None:
    assert digest({"w": BASE.cuda()}) == digest({"w": BASE})


@pytest.mark.parametrize(
    "other",
    [
        {"v": BASE},
        {"w": BASE.double()},
        {"w": BASE.reshape(3, 2)},
        {"w": BASE.reshape(6)},
        {"w": BASE, "v": torch.empty(0)},
        {"w": torch.nextafter(BASE, BASE + 1)},
        {"w": torch.where(BASE == 0, -0.0, BASE)},
        {},
    ],
)
def test_names_types_shapes_and_bits_count(other: dict[str, Tensor]) -> None:
    assert digest(other) != digest({"w": BASE})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (torch.tensor(1), torch.tensor([1])),
        (torch.empty(0, 3), torch.empty(3, 0)),
        (torch.zeros(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.float16)),
        (torch.tensor([True]), torch.tensor([1], dtype=torch.uint8)),
    ],
)
def test_tensors_of_equal_bytes_differ(one: Tensor, other: Tensor) -> None:
    assert digests({"w": one}) != digests({"w": other})


def test_the_order_of_names_does_not_count() -> None:
    one, other = torch.ones(2), torch.zeros(2)
    assert digest({"a": one, "b": other}) == digest({"b": other, "a": one})
    assert digest({"a": one, "b": other}) != digest({"a": other, "b": one})


def test_the_changed_tensor_can_be_told() -> None:
    tensors = {"frozen": torch.ones(3), "moved": torch.ones(3)}
    before = digests(tensors)
    tensors["moved"][1] += 1e-6
    after = digests(tensors)
    assert [name for name in before if before[name] != after[name]] == ["moved"]
    assert combine(after) == digest(tensors) != combine(before)
