"""The contract of a metric."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftcore.interfaces import Metric, Proportion, ResampledMetric, RowProportion, Statistics
from ftcore.resampling import draws
from ftcore.testing.values import is_close, is_same

if TYPE_CHECKING:
    from torch import Tensor

_CLASSES = 5


def check_metric(metric: Metric, statistics: Statistics | None = None) -> None:
    """Assert the contract of `ftcore.Metric`.

    `statistics` holds what `metric.needs` names, for at least one example; by default those of a
    classifier with five classes on random logits.
    """
    assert isinstance(metric, Metric), (
        f"{metric!r} lacks one of: name, needs, higher_is_better, compute()."
    )
    assert metric.name, "The metric has no name."
    assert not isinstance(metric.needs, str), (
        f"needs is the text {metric.needs!r}; write ({metric.needs!r},)."
    )
    assert isinstance(metric.higher_is_better, bool), "higher_is_better is neither True nor False."
    given = _classification() if statistics is None else statistics
    known = [*given.fields, *given.rows]
    missing = [name for name in metric.needs if name not in known]
    assert not missing, f"The metric needs {missing}, but the statistics have {known}."
    _check_value(metric, given)
    needed = _restricted(given, metric)
    assert _same_value(metric, given, needed), (
        f"With no more than {list(metric.needs)} the value changes: needs does not name all."
    )
    _check_leading_dimensions(metric, needed)
    _check_empty(metric, needed)
    if isinstance(metric, ResampledMetric):
        _check_bootstrap(metric, needed)


def _check_value(metric: Metric, statistics: Statistics) -> None:
    before = _copy(statistics)
    value = _value(metric, statistics)
    assert value.dim() == 0, (
        f"compute() returns shape {tuple(value.shape)} for statistics without leading dimensions."
    )
    assert not value.is_complex(), "compute() returns a complex number."
    assert is_same(value, _value(metric, statistics)), "Computing twice gives two values."
    unchanged = is_same(before.fields, statistics.fields) and is_same(before.rows, statistics.rows)
    assert unchanged, "compute() changed the statistics."
    if isinstance(metric, Proportion):
        successes, trials = metric.trials(statistics)
        assert 0 <= successes <= trials, f"There are {successes} successes in {trials} trials."
        assert not trials or abs(successes / trials - float(value)) < 1e-9, (
            f"trials() says {successes} of {trials}, compute() {float(value)}."
        )
    if isinstance(metric, RowProportion):
        of_rows = int(metric.successes(statistics.rows).sum())
        assert of_rows == successes, (
            f"successes() finds {of_rows} among the rows, trials() says {successes}."
        )


def _check_leading_dimensions(metric: Metric, statistics: Statistics) -> None:
    """Replicates that count every unit once, twice and three times equal the sums a, a+a, a+a+a."""
    import torch

    sums = [statistics, statistics + statistics, statistics + statistics + statistics]
    expected = torch.stack([_value(metric, each) for each in sums])
    stacked = {
        name: torch.stack([each.fields[name] for each in sums]) for name in statistics.fields
    }
    rows = dict(statistics.rows)
    if rows:
        length = len(next(iter(rows.values())))
        weight = torch.arange(1, 4).unsqueeze(1).expand(3, length)  # (replicates, units)
        rows["weight"] = weight.contiguous()
    got = _attempt(metric, Statistics(stacked, rows), "For statistics with 3 replicates")
    assert got.shape == (3,), (
        f"For statistics with 3 replicates compute() returns shape {tuple(got.shape)}, not (3,)."
    )
    assert is_close(got, expected, rtol=1e-9, atol=1e-12), (
        f"Three replicates computed together give {got.tolist()}, one by one {expected.tolist()}."
    )


def _check_bootstrap(metric: ResampledMetric, statistics: Statistics) -> None:
    """Its replicates are those of `ftcore.resampling.draws`, where all units were scored."""
    import torch

    assert statistics.rows, "A metric without rows need not make its bootstrap replicates itself."
    units = len(next(iter(statistics.rows.values())))
    weight = torch.from_numpy(draws(units, 5, 3))
    drawn = Statistics(statistics.fields, {**statistics.rows, "weight": weight})
    expected = _value(metric, drawn)
    got = torch.as_tensor(metric.bootstrap(statistics, 5, 3), dtype=torch.float64)
    assert got.shape == (5,), f"bootstrap() of 5 replicates returns shape {tuple(got.shape)}."
    assert is_close(got, expected, rtol=1e-9, atol=1e-12), (
        f"bootstrap() gives {got.tolist()}, compute() of the same draws {expected.tolist()}."
    )


def _check_empty(metric: Metric, statistics: Statistics) -> None:
    empty = Statistics(
        {name: value.new_zeros(value.shape) for name, value in statistics.fields.items()},
        {name: value[:0] for name, value in statistics.rows.items()},
    )
    value = _attempt(metric, empty, "Without any example (undefined is NaN)")
    assert value.dim() == 0, "Without any example compute() returns another shape."


def _attempt(metric: Metric, statistics: Statistics, when: str) -> Tensor:
    try:
        return _value(metric, statistics)
    except Exception as error:  # a border: the metric under test
        kind = type(error).__name__
        raise AssertionError(f"{when} compute() raises {kind}: {error}.") from error


def _value(metric: Metric, statistics: Statistics) -> Tensor:
    import torch

    return torch.as_tensor(metric.compute(statistics), dtype=torch.float64)


def _same_value(metric: Metric, one: Statistics, other: Statistics) -> bool:
    try:
        return is_same(_value(metric, one), _value(metric, other))
    except (AttributeError, KeyError):  # it reads what is no longer there
        return False


def _restricted(statistics: Statistics, metric: Metric) -> Statistics:
    fields = {name: value for name, value in statistics.fields.items() if name in metric.needs}
    rows = {name: value for name, value in statistics.rows.items() if name in metric.needs}
    # A name that both have means the field.
    return Statistics(fields, {name: row for name, row in rows.items() if name not in fields})


def _copy(statistics: Statistics) -> Statistics:
    return Statistics(
        {name: value.clone() for name, value in statistics.fields.items()},
        {name: value.clone() for name, value in statistics.rows.items()},
    )


def _classification() -> Statistics:
    import torch

    from ftcore.ops import classification_statistics

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(200, _CLASSES, generator=generator)
    targets = torch.randint(0, _CLASSES, (200,), generator=generator)
    return classification_statistics(logits, targets)
