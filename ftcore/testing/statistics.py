"""The contract of a task's statistics: they add, in place and across parts, and resample."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, TypeAlias

from ftcore.interfaces import ComparableTask, DataBundle, Inputs, StackedTask, Statistics, Task
from ftcore.testing.values import is_close, is_same, mapped

if TYPE_CHECKING:
    from torch import Tensor

Batch: TypeAlias = "tuple[Inputs, Tensor]"  # outputs and targets


def check_sums(task: Task, bundle: DataBundle, needs: Collection[str], batch: Batch) -> None:
    """Assert that statistics start empty, and that two halves add up to the whole."""
    empty = task.statistics(bundle, needs)
    _check_types(empty)
    assert task.units(empty) == 0, f"Empty statistics hold {task.units(empty)} units."
    count = len(batch[1])
    whole = _evaluated(task, bundle, needs, batch)
    units = task.units(whole)
    assert 0 < units <= count, f"The statistics of {count} examples hold {units} units."
    for name, value in empty.fields.items():
        assert whole.fields[name].shape == value.shape, (
            f"The field {name!r} grows with the number of examples; only rows may."
        )
    parts = [_part(batch, slice(0, count // 2)), _part(batch, slice(count // 2, count))]
    first, second = (_evaluated(task, bundle, needs, part) for part in parts)
    _check_equal(first + second, whole, "adding the statistics of two halves")
    stepwise = task.statistics(bundle, needs)
    for part in parts:
        task.update_(stepwise, *part)
    _check_equal(stepwise, whole, "two updates with one half each")


def check_stacked(
    task: StackedTask, bundle: DataBundle, needs: Collection[str], batch: Batch
) -> None:
    """Assert that heads scored in one call get the fields that each gets by itself."""
    import torch

    outputs, targets = batch
    stacked = task.stacked_statistics(bundle, needs, 2)
    if stacked is None:
        return
    heads = [outputs, -outputs]
    task.stacked_update_(stacked, torch.stack(heads), targets)
    for index, head in enumerate(heads):
        alone = _evaluated(task, bundle, needs, (head, targets))
        for name in {*needs} & stacked.fields.keys():
            expected, found = alone.fields[name].double(), stacked.fields[name][index].double()
            assert torch.allclose(found, expected), (
                f"Of two heads scored together, head {index} has {name} {found}, not {expected}."
            )


def check_reweighing(
    task: ComparableTask, bundle: DataBundle, needs: Collection[str], batch: Batch
) -> None:
    """Assert that weights of 0, 1 and 2 give what evaluating as many copies would."""
    import torch

    statistics = _evaluated(task, bundle, needs, batch)
    count = len(batch[1])
    lengths = {len(row) for row in statistics.rows.values()}
    assert lengths == {count}, f"The rows have the lengths {lengths} for {count} examples."
    stored = Statistics(task.statistics(bundle, needs).fields, dict(statistics.rows))
    weights = torch.ones((2, count), dtype=torch.int64)
    weights[1] = torch.arange(count) % 3
    replicates = task.reweigh(stored, needs, weights)
    copies = torch.arange(count).repeat_interleave(weights[1])
    copied = mapped(batch[0], lambda tensor: tensor[copies]), batch[1][copies]
    for index, whole in enumerate((statistics, _evaluated(task, bundle, needs, copied))):
        for name in {*needs} & whole.fields.keys():
            got, expected = replicates.fields[name][index], whole.fields[name]
            assert is_close(got.double(), expected.double(), rtol=1e-9, atol=1e-12), (
                f"reweigh() with weights {weights[index].tolist()} gives {name!r} {got.tolist()}, "
                f"evaluating so many copies gives {expected.tolist()}."
            )
    missing = [name for name in needs if name not in [*replicates.fields, *replicates.rows]]
    assert not missing, f"reweigh() leaves out {missing}."
    if replicates.rows:
        assert is_same(replicates.rows["weight"], weights), "reweigh() changed the weights."


def check_resampling(task: Task, bundle: DataBundle, needs: Collection[str], batch: Batch) -> None:
    """Assert that replicates have a leading dimension, and follow the generator alone."""
    from numpy.random import default_rng

    count = 4
    statistics = _evaluated(task, bundle, needs, batch)
    before = _flat(statistics)
    replicates = task.resample(statistics, needs, count, default_rng(0))
    again = task.resample(statistics, needs, count, default_rng(0))
    assert is_same(_flat(replicates), _flat(again)), (
        "The same generator gives other replicates the second time."
    )
    assert is_same(before, _flat(statistics)), "resample() changed the statistics."
    missing = [name for name in needs if name not in [*replicates.fields, *replicates.rows]]
    assert not missing, f"resample() leaves out {missing}."
    for name, value in replicates.fields.items():
        shape = (count, *statistics.fields[name].shape)
        assert value.shape == shape, (
            f"{count} replicates of {name!r} have shape {tuple(value.shape)}, not {shape}."
        )
    if replicates.rows:
        _check_weights(task, statistics, replicates, count)


def _check_weights(task: Task, statistics: Statistics, replicates: Statistics, count: int) -> None:
    rows = dict(replicates.rows)
    assert "weight" in rows, "resample() returns rows without rows['weight']."
    weight = rows.pop("weight")
    for name, row in rows.items():
        assert is_same(row, statistics.rows[name]), f"resample() changed the row {name!r}."
        assert weight.shape == (count, len(row)), (
            f"rows['weight'] has shape {tuple(weight.shape)}, not {(count, len(row))}."
        )
    drawn, units = weight.sum(-1).tolist(), task.units(statistics)
    assert drawn == [units] * count, f"Replicates of {units} units draw {drawn} of them."
    assert bool((weight >= 0).all()), "rows['weight'] counts draws; one of them is negative."


def _evaluated(task: Task, bundle: DataBundle, needs: Collection[str], batch: Batch) -> Statistics:
    before = mapped(batch, lambda tensor: tensor.clone())
    statistics = task.statistics(bundle, needs)
    task.update_(statistics, *batch)
    assert is_same(before, batch), "update_() changed the outputs or the targets."
    _check_types(statistics)
    return statistics


def _check_types(statistics: Statistics) -> None:
    import torch

    assert isinstance(statistics, Statistics), f"{statistics!r} is no ftcore.Statistics."
    for name, value in statistics.fields.items():
        assert value.dtype in (torch.int64, torch.float64), (
            f"The field {name!r} is {value.dtype}; counts are int64, sums are float64."
        )
        assert not value.requires_grad, f"The field {name!r} keeps the graph of the outputs."
    lengths = {name: len(row) for name, row in statistics.rows.items()}
    assert len(set(lengths.values())) <= 1, f"Rows have different lengths: {lengths}."


def _check_equal(got: Statistics, whole: Statistics, what: str) -> None:
    for name, value in whole.fields.items():
        exact = not value.is_floating_point()
        equal = is_same if exact else lambda a, b: is_close(a, b, rtol=1e-9, atol=1e-12)
        assert equal(got.fields[name], value), (
            f"{what.capitalize()} gives {name!r} {got.fields[name].tolist()}; one update with "
            f"everything gives {value.tolist()}."
        )
    for name, row in whole.rows.items():
        assert is_close(got.rows[name], row, rtol=1e-9, atol=1e-12), (
            f"{what.capitalize()} gives other rows {name!r} than one update with everything."
        )


def _part(batch: Batch, chosen: slice) -> Batch:
    outputs, targets = batch
    return mapped(outputs, lambda tensor: tensor[chosen]), targets[chosen]


def _flat(statistics: Statistics) -> list[Tensor]:
    return [tensor.clone() for tensor in (*statistics.fields.values(), *statistics.rows.values())]
