from __future__ import annotations

import pytest
import torch

from ftcore.engine.batches import (
    RawSource,
    load_batches,
    sequential_order,
    to_device,
    training_order,
)
from tests.tiny import ToFloat, make_split


@pytest.mark.parametrize(("count", "size"), [(10, 3), (9, 3), (5, 8), (7, 2), (1, 4)])
def test_an_epoch_sees_every_example_once(count: int, size: int) -> None:
    batches = training_order(count, size, seed=0, epoch=0)
    assert sorted(index for batch in batches for index in batch) == list(range(count))
    assert all(len(batch) > 1 for batch in batches) or count == 1
    assert [i for batch in sequential_order(count, size) for i in batch] == list(range(count))


def test_the_order_depends_on_seed_and_epoch() -> None:
    orders = [training_order(50, 10, seed, epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert orders[0] == training_order(50, 10, 0, 0)
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]


@pytest.mark.parametrize("workers", [0, 2])
def test_augmentation_depends_on_the_example_and_the_epoch_alone(workers: int) -> None:
    source = RawSource(make_split(12, 3, 0, "x"), ToFloat(noise=1.0), seed=5)

    def seen(order: list[list[int]], epoch: int) -> dict[int, torch.Tensor]:
        batches = load_batches(source, order, epoch=epoch, workers=workers)
        return {i: row for b in batches for i, row in zip(b.indices, b.inputs, strict=True)}

    first = seen([[0, 1, 2], [3, 4]], epoch=0)
    other = seen([[4, 2], [0]], epoch=0)
    later = seen([[0, 1]], epoch=1)
    assert all(torch.equal(first[index], other[index]) for index in other)
    assert not torch.equal(first[0], later[0])


def test_targets_go_with_their_examples() -> None:
    split = make_split(7, 3, 0, "x")
    for batch in load_batches(RawSource(split, ToFloat(), 0), [[6, 0], [3]]):
        assert batch.targets.tolist() == [split.targets[i] for i in batch.indices]


def test_trees_of_tensors_move_as_a_whole() -> None:
    tree = {"ids": torch.ones(2, 3), "pair": (torch.zeros(1), [torch.ones(1, 2, 2, 2)])}
    moved = to_device(tree, torch.device("meta"), torch.channels_last)
    assert moved["ids"].is_meta
    assert moved["pair"][0].is_meta
    assert moved["pair"][1][0].is_contiguous(memory_format=torch.channels_last)
