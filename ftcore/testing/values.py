"""Comparing and copying what flows through a model: tensors, or tuples, lists and dicts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


def leaves(value: Any) -> list[Any]:
    """Return the values inside nested tuples, lists and dicts, in order."""
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Return the same nest with `function` applied to each tensor."""
    if isinstance(value, Mapping):
        return {key: mapped(item, function) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(mapped(item, function) for item in value)
    return function(value)


def is_same(one: Any, other: Any) -> bool:
    """Whether two nests hold exactly the same values, of the same types; NaN equals NaN."""
    mine, theirs = leaves(one), leaves(other)
    return len(mine) == len(theirs) and all(
        a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | ((a != a) & (b != b))).all())
        for a, b in zip(mine, theirs, strict=True)
    )


def is_close(one: Any, other: Any, *, rtol: float, atol: float) -> bool:
    """Whether two nests hold nearly the same numbers; NaN equals NaN."""
    import torch

    mine, theirs = leaves(one), leaves(other)
    return len(mine) == len(theirs) and all(
        a.shape == b.shape
        and torch.allclose(a.double(), b.double(), rtol=rtol, atol=atol, equal_nan=True)
        for a, b in zip(mine, theirs, strict=True)
    )


def state_of(modules: Sequence[nn.Module]) -> list[Tensor]:
    """Return a copy of every parameter and buffer."""
    return [tensor.clone() for module in modules for tensor in module.state_dict().values()]
