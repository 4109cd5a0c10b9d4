from __future__ import annotations

from collections.abc import Mapping

import pytest

from ftcore.record import CorruptionRecord, CorruptionsRecord, MetricValue, SeverityRecord
from ftcore.reports.robustness import tabulate_corruptions


def measured(value: float | None) -> MetricValue:
    return MetricValue(value=value, low=0.1, high=0.9, n=100, method="paired bootstrap, 1000 draws")


def make_corruptions(scores: Mapping[str, list[float | None]]) -> CorruptionsRecord:
    """Severities count from 1; the mean is given last."""
    return CorruptionsRecord(
        corruptions=tuple(
            CorruptionRecord(
                name=name,
                severities=tuple(
                    SeverityRecord(severity=index, metrics={"accuracy": measured(value)})
                    for index, value in enumerate(values[:-1], start=1)
                ),
                mean={"accuracy": measured(values[-1])},
            )
            for name, values in scores.items()
        ),
        mean={"accuracy": measured(0.75)},
        metric="accuracy",
        mean_corruption_error=measured(0.25),
        relative_mean_corruption_error=measured(0.125),
    )


WHOLE = make_corruptions(
    {
        "fog": [0.9, 0.8, 0.7, 0.6, 0.5, 0.7],
        "elastic_transform": [0.9, None, 0.9, 0.9, 0.8123, 0.88],
    }
)


def test_severities_are_columns() -> None:
    assert tabulate_corruptions(WHOLE, 80) == [
        "accuracy               1      2      3      4      5   mean",
        "fog                0.900  0.800  0.700  0.600  0.500  0.700",
        "elastic_transform  0.900      -  0.900  0.900  0.812  0.880",
    ]


def test_a_narrow_table_has_the_ends() -> None:
    assert tabulate_corruptions(WHOLE, 40) == [
        "accuracy               1      5   mean",
        "fog                0.900  0.500  0.700",
        "elastic_transform  0.900  0.812  0.880",
    ]


@pytest.mark.parametrize("width", [40, 50, 58, 59, 80])
def test_lines_fit(width: int) -> None:
    assert all(len(line) <= width for line in tabulate_corruptions(WHOLE, width))


def test_one_severity_is_one_column() -> None:
    assert tabulate_corruptions(make_corruptions({"fog": [0.9, 0.9]}), 24) == [
        "accuracy      1   mean",
        "fog       0.900  0.900",
    ]
