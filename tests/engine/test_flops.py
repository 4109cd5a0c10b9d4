from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ftcore.engine.flops import training_flops
from ftcore.interfaces import Stage
from tests.engine.test_run import make_parts

# Multiplications of each layer on one example: positions × kernel × channels in × channels out.
STEM, MIDDLE, TOP, HEAD = 16 * 9 * 2 * 4, 16 * 9 * 4 * 6, 16 * 9 * 6 * 8, 8 * 3
ALL = (STEM, MIDDLE, TOP, 0, HEAD)  # the pooling stage multiplies nothing


def by_hand(frozen: int, cached: int) -> int:
    """Forward through what is not there already, then the gradients of weights and of inputs.

    The lowest layer that trains needs no gradient of its inputs.
    """
    forward: Sequence[int] = ALL[cached:]
    weights: Sequence[int] = ALL[frozen:]
    inputs: Sequence[int] = ALL[frozen + 1 :] if frozen < 3 else ()
    return 2 * (sum(forward) + sum(weights) + sum(inputs))


@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
@pytest.mark.parametrize("is_cached", [True, False])
def test_operations_are_those_counted_by_hand(frozen: int, is_cached: bool) -> None:
    parts = make_parts()
    before = {k: v.clone() for k, v in parts.backbone.stages[0].module.state_dict().items()}
    cached = frozen if is_cached else 0
    assert training_flops(parts, frozen, cached) == by_hand(frozen, cached)
    after = parts.backbone.stages[0].module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.requires_grad for p in parts.backbone.named_parameters().values())


class Attention(nn.Module):
    """Of 16 positions to each other, 8 features, one head."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(8, 1, batch_first=True)

    def forward(self, maps: Tensor) -> Tensor:
        tokens = maps.flatten(2).mT  # (batch, positions, features)
        output: Tensor = self.inner(tokens, tokens, tokens, need_weights=False)[0]
        return output.mT.reshape(maps.shape)


@pytest.mark.parametrize("trains", [False, True])
def test_the_products_of_attention_are_counted(trains: bool) -> None:
    parts = make_parts()
    stem, middle, top, pool = parts.backbone.stages
    attention = Stage("attention", Attention())
    backbone = replace(parts.backbone, stages=(stem, middle, top, attention, pool))
    found = training_flops(replace(parts, backbone=backbone), 3 if trains else 4, 3)
    projections, products = 4 * 16 * 8 * 8, 2 * 16 * 16 * 8
    forward = projections + products + HEAD
    # The inputs are features; of what is in between all gradients are needed: of the input
    # projection its weights', of the output's both, of a product both sides', of the head both.
    backward = 3 * 16 * 8 * 8 + 2 * 16 * 8 * 8 + 2 * products + 2 * HEAD if trains else HEAD
    assert found == 2 * (forward + backward)
