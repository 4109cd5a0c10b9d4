"""The contract of a task."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ftcore.errors import ConfigError, DataError, UsageError
from ftcore.interfaces import (
    CalibratedTask,
    ComparableTask,
    DataBundle,
    Inputs,
    NeighbourTask,
    Split,
    StackedTask,
    Statistics,
    Task,
)
from ftcore.registry import parse_spec
from ftcore.testing.calibration import check_calibration
from ftcore.testing.neighbours import check_neighbours
from ftcore.testing.refusals import assert_refused
from ftcore.testing.samples import tiny_backbone
from ftcore.testing.statistics import (
    check_resampling,
    check_reweighing,
    check_stacked,
    check_sums,
)
from ftcore.testing.values import leaves, mapped

if TYPE_CHECKING:
    from torch import Tensor, nn

_EXAMPLES = 12


def check_task(task: Task, bundle: DataBundle, needs: Collection[str] = ()) -> None:
    """Assert the contract of `ftcore.Task` on a dataset that asks for this task.

    `needs` names the statistics that its metrics ask for; without them less can be checked.
    """
    import torch

    assert isinstance(task, Task), f"{task!r} lacks a method of ftcore.Task."
    _check_names(task)
    _check_data(task, bundle)
    targets = bundle.splits["train"].targets[:_EXAMPLES]
    assert len(targets) > 1, "The dataset's training part must hold two examples at least."
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs = _check_head(task, bundle, targets)
    _check_decoded(task, outputs, len(targets))
    assert_refused(
        lambda: task.statistics(bundle, ["no such statistic"]),
        ConfigError,
        "no such statistic",
        "statistics() takes an unknown need",
    )
    check_sums(task, bundle, needs, (outputs, targets))
    check_resampling(task, bundle, needs, (outputs, targets))
    if isinstance(task, StackedTask):
        check_stacked(task, bundle, needs, (outputs, targets))
    if isinstance(task, CalibratedTask):
        check_calibration(task, outputs, targets)
    if isinstance(task, ComparableTask):
        check_reweighing(task, bundle, needs, (outputs, targets))
    if isinstance(task, NeighbourTask):
        check_neighbours(task, bundle, targets)
    _check_reports(task, bundle, needs, (outputs, targets))


def _check_names(task: Task) -> None:
    assert task.name, "The task has no name."
    assert not isinstance(task.metrics, str), "metrics is one text; write a tuple of specs."
    assert task.metrics, "The task shows no metric; the first one chooses the best epoch."
    for spec in task.metrics:
        try:
            parse_spec(spec)
        except UsageError as error:
            raise AssertionError(f"The metric {spec!r} cannot be read: {error}") from error


def _check_data(task: Task, bundle: DataBundle) -> None:
    try:
        task.check(bundle)
    except DataError as error:
        raise AssertionError(f"check() refuses the dataset {bundle.name!r}: {error}") from error
    train = bundle.splits["train"]
    if not bundle.classes or train.targets.dim() != 1:
        return
    for value in (len(bundle.classes), -100):
        wrong = train.targets.clone()
        wrong[-1] = value
        splits = {**bundle.splits, "train": _Retargeted(train, wrong)}
        broken = dataclasses.replace(bundle, splits=splits)
        assert_refused(
            partial(task.check, broken),
            DataError,
            train.ids[len(train) - 1],
            f"check() takes the target {value}, though there are {len(bundle.classes)} classes",
        )


def _check_head(task: Task, bundle: DataBundle, targets: Tensor) -> Inputs:
    """Put a head on random features; return its outputs for as many examples as targets."""
    import torch
    from torch import nn

    backbone = tiny_backbone()
    head = task.build_head(backbone, bundle)
    assert isinstance(head, nn.Module), f"build_head() returns a {type(head).__name__}."
    features = torch.randn(len(targets), backbone.feature_dim)
    outputs = head.eval()(features)
    for leaf in leaves(outputs):
        assert leaf.shape[0] == len(targets), (
            f"The head returns shape {tuple(leaf.shape)} for {len(targets)} examples."
        )
    _check_loss(task, bundle, list(head.parameters()), (outputs, targets))
    return mapped(outputs, lambda tensor: tensor.detach())


def _check_loss(
    task: Task, bundle: DataBundle, parameters: list[nn.Parameter], batch: tuple[Inputs, Tensor]
) -> None:
    import torch

    loss = task.build_loss(bundle)
    value = loss(*batch)
    assert value.dim() == 0, f"The loss has shape {tuple(value.shape)}; it is one number."
    once = float(value.detach())
    assert math.isfinite(once), f"The loss of finite outputs is {once}."
    outputs, targets = mapped(batch, lambda tensor: torch.cat([tensor, tensor]))
    twice = float(loss(outputs, targets).detach())
    assert math.isclose(once, twice, rel_tol=1e-4, abs_tol=1e-6), (
        f"With each example twice the loss is {twice} instead of {once}; it is the batch's mean."
    )
    if parameters:
        assert value.requires_grad, "The loss has no gradient."
        gradients = torch.autograd.grad(value, parameters, allow_unused=True)
        has_gradient = any(gradient is not None for gradient in gradients)
        assert has_gradient, "The loss has no gradient in the head."


def _check_decoded(task: Task, outputs: Inputs, count: int) -> None:
    decoded = task.decode(outputs)
    for key in ("prediction", "confidence"):
        assert key in decoded, f"decode() returns {list(decoded)}, without {key!r}."
        shape = tuple(decoded[key].shape)
        assert shape == (count,), f"decode() returns {key!r} of shape {shape}, not ({count},)."


def _check_reports(
    task: Task, bundle: DataBundle, needs: Collection[str], batch: tuple[Inputs, Tensor]
) -> None:
    statistics = task.statistics(bundle, needs)
    task.update_(statistics, *batch)
    _check_rows(task.per_class(statistics, bundle), bundle)
    for name, baseline in task.baselines(bundle, batch[1], needs).items():
        assert isinstance(baseline, Statistics), f"The baseline {name!r} is no Statistics."
        assert baseline.fields.keys() == statistics.fields.keys(), (
            f"The baseline {name!r} has the fields {sorted(baseline.fields)}, "
            f"an evaluation has {sorted(statistics.fields)}."
        )
        assert task.units(baseline) == task.units(statistics), (
            f"The baseline {name!r} has {task.units(baseline)} units, "
            f"the same examples evaluated have {task.units(statistics)}."
        )


def _check_rows(rows: Mapping[str, Mapping[str, float]], bundle: DataBundle) -> None:
    assert set(rows) in (set(), set(bundle.classes)), (
        f"per_class() has rows for {list(rows)}; the classes are {list(bundle.classes)}."
    )
    columns = {tuple(row) for row in rows.values()}
    assert len(columns) <= 1, f"The rows of per_class() have different columns: {columns}."
    values = [value for row in rows.values() for value in row.values()]
    assert all(isinstance(value, (int, float)) for value in values), (
        "per_class() holds values that are no plain numbers."
    )


@dataclass(frozen=True)
class _Retargeted:
    """A split with other targets."""

    split: Split
    targets: Tensor

    @property
    def ids(self) -> Sequence[str]:
        return self.split.ids

    def __len__(self) -> int:
        return len(self.split)

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        return self.split.inputs(indices)

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return self.split.digests(indices)
