from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from ftcore.engine.device import Machine
from ftcore.studies.ranking.cost import count_flops, measure_cost, measure_memory

CPU = Machine(torch.device("cpu"), "fp32", torch.contiguous_format)


class Examples:
    """A source of sixteen rows of ten numbers, and no more."""

    targets = torch.zeros(20)
    ids: tuple[str, ...] = ()

    def load(self, indices: Sequence[int], epoch: int) -> Tensor:
        return torch.ones(len(indices), 10)


class Attention(nn.Module):
    """One head, of 4 numbers, over a sequence."""

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(inputs, inputs, inputs)


@pytest.mark.parametrize(
    ("module", "shape", "flops"),
    [
        (nn.Linear(8, 4), (1, 8), 2 * 8 * 4),
        # 3 x 3 windows of 2 channels, for 5 channels at each of 6 x 6 places
        (nn.Conv2d(2, 5, 3), (1, 2, 8, 8), 2 * 9 * 2 * 5 * 36),
        # each of 7 with each of 7, 4 numbers long, twice: scores, and their weighted sum
        (Attention(), (1, 1, 7, 4), 2 * 2 * 7 * 7 * 4),
    ],
)
def test_flops_worked_out_by_hand(module: nn.Module, shape: tuple[int, ...], flops: int) -> None:
    with torch.no_grad():
        assert count_flops(module.eval(), torch.ones(shape))[0] == flops


def test_attention_layers_are_counted_though_torch_would_run_them_as_one_operator() -> None:
    layer = nn.TransformerEncoderLayer(4, 1, 8, batch_first=True).eval()
    with torch.no_grad():
        flops, uncounted = count_flops(layer, torch.ones(1, 7, 4))
    projections, attention, feed_forward = 7 * 4 * 4 * 4, 2 * 7 * 7 * 4, 2 * 7 * 4 * 8
    assert flops == 2 * (projections + attention + feed_forward)
    assert not any("attention" in name or "encoder" in name for name in uncounted)


def test_what_is_not_counted_is_named_and_what_only_moves_is_not() -> None:
    module = nn.Sequential(nn.Linear(8, 4), nn.Sigmoid(), nn.Flatten(), nn.BatchNorm1d(4)).eval()
    with torch.no_grad():
        _, uncounted = count_flops(module, torch.ones(1, 8))
    assert len(uncounted) == 2
    assert uncounted[1] == "aten.sigmoid"
    assert "batch_norm" in uncounted[0]


def test_memory_worked_out_by_hand() -> None:
    module = nn.Sequential(nn.Linear(10, 20, bias=False), nn.ReLU(), nn.Linear(20, 5, bias=False))
    weights, inputs, hidden = 10 * 20 + 20 * 5, 2 * 10, 2 * 20
    with torch.no_grad():
        peak, method = measure_memory(module, torch.ones(2, 10), CPU)
    # At most the inputs of ReLU and its outputs are alive at once.
    assert peak == 4 * (weights + inputs + 2 * hidden)
    assert "within an operator" in method


def test_a_backbone_costs_what_its_parts_do() -> None:
    cost = measure_cost(nn.Sequential(nn.Linear(10, 3)), Examples(), CPU)
    assert (cost.parameters, cost.flops) == (33, 60)
    assert (cost.one.examples, cost.batch.examples) == (1, 16)
    assert cost.one.low <= cost.one.seconds <= cost.one.high
    assert cost.one.rounds >= 3
    assert cost.threads == torch.get_num_threads()
