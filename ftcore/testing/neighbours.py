"""The contract of a task that tells an example by its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftcore.interfaces import DataBundle, Inputs, NeighbourTask
from ftcore.testing.values import is_close, is_same, leaves, mapped

if TYPE_CHECKING:
    from torch import Tensor


def check_neighbours(task: NeighbourTask, bundle: DataBundle, targets: Tensor) -> None:
    """Assert that outputs are finite, each example's own, and what neighbours that agree say.

    `targets` (N, ...) are of N examples, two at least, which here are each other's neighbours.
    """
    import torch

    count = len(targets)
    order = (torch.arange(count)[:, None] + torch.arange(count)) % count  # each is its own nearest
    weights = torch.linspace(1, 0.1, count).repeat(count, 1)
    outputs = task.outputs_of_neighbours(bundle, targets[order], weights)
    _check_outputs(outputs, count)
    statistics = task.statistics(bundle)
    task.update_(statistics, outputs, targets)
    assert task.units(statistics) > 0, "update_() scores nothing of outputs_of_neighbours()."
    first = task.outputs_of_neighbours(bundle, targets[order[:1]], weights[:1])
    for alone, among in zip(leaves(first), leaves(mapped(outputs, _first)), strict=True):
        assert is_close(alone, among, rtol=1e-6, atol=1e-9), (
            "outputs_of_neighbours() gives an example other outputs alone than among others."
        )
    _check_agreement(task, bundle, targets, weights)


def _first(tensor: Tensor) -> Tensor:
    return tensor[:1]


def _check_outputs(outputs: Inputs, count: int) -> None:
    import torch

    for leaf in leaves(outputs):
        assert leaf.shape[0] == count, (
            f"outputs_of_neighbours() returns shape {tuple(leaf.shape)} for {count} examples."
        )
        assert bool(torch.isfinite(leaf).all()), (
            "outputs_of_neighbours() returns values that are not finite, as for a target that no "
            "neighbour has."
        )


def _check_agreement(
    task: NeighbourTask, bundle: DataBundle, targets: Tensor, weights: Tensor
) -> None:
    agreed = targets[:, None].expand(-1, weights.shape[1], *targets.shape[1:])
    outputs = task.outputs_of_neighbours(bundle, agreed, weights)
    _check_outputs(outputs, len(targets))
    if targets.dim() != 1 or targets.is_floating_point():
        return
    decoded = task.decode(outputs)["prediction"]
    assert is_same(decoded, targets), (
        f"Where all neighbours have the targets {targets.tolist()}, decode() predicts "
        f"{decoded.tolist()}."
    )
