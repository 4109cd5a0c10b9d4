"""Bootstrap replicates of classification statistics: scored examples drawn with replacement.

Fields that depend on targets and predictions alone are sums over the cells of the confusion
matrix, of which each replicate is exactly one multinomial draw; so they cost the same for any
number of examples. Others are sums over the examples' rows; of more than 32,768 examples those that
are nearly alike are drawn together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import torch
from numpy.random import Generator

from ftcore import DataError, Statistics
from ftcore.default_plugins.classification.cells import Array, Cells, Ints
from ftcore.default_plugins.classification.levels import merge_levels

# Each field is a sum over units: (the column it is a histogram over, the column it sums up).
_SUMS: dict[str, tuple[str | None, str | None]] = {
    "n": (None, None),
    "nll": (None, "nll"),
    "brier": (None, "brier"),
    "entropy": (None, "entropy"),
    "rank": ("rank", None),
    "support": ("target", None),
    "predicted": ("prediction", None),
    "correct": ("target", "is_correct"),
    "confusion": ("pair", None),
    "bin_count": ("bin", None),
    "bin_correct": ("bin", "is_correct"),
    "bin_confidence": ("bin", "confidence"),
}
# Columns that are no rows of the statistics, and the rows they are made of.
_SOURCES = {
    "pair": ("target", "prediction"),
    "is_correct": ("target", "prediction"),
    "bin": ("confidence",),
}
_OF_PAIRS = {"n", "support", "predicted", "correct", "confusion"}
_OF_RANKS = {"n", "rank"}


def resample(
    statistics: Statistics, needs: Collection[str], count: int, generator: Generator
) -> Statistics:
    """Return `count` replicates of the fields in `needs`, stacked: (count, *shape).

    Counts of examples that were not scored come back as they are. A row comes back whole, beside
    rows["weight"] (count, N). All of it lies on the CPU.
    """
    summed = _SUMS.keys() & statistics.fields.keys() & set(needs)
    has_rows = not statistics.fields.keys() >= set(needs)
    cells = (
        _of_examples(statistics, _columns(summed)) if has_rows else _coarsest(statistics, summed)
    )
    return _replicate(statistics, needs, cells, cells.draw(count, generator))


def reweigh(statistics: Statistics, needs: Collection[str], weights: Ints) -> Statistics:
    """Return the fields in `needs` with example i counted weights[r, i] times, as `resample` does.

    Shape of `weights`: (R, N), with a column for each row of the statistics; those of examples
    that were not scored count for nothing.
    """
    is_scored = _is_scored(statistics)
    if weights.ndim != 2 or weights.shape[1] != len(is_scored):
        raise DataError(
            f"weights have shape {weights.shape}; these statistics have {len(is_scored)} rows, "
            f"so that weights are (replicates, {len(is_scored)})"
        )
    summed = _SUMS.keys() & statistics.fields.keys() & set(needs)
    cells = _of_examples(statistics, _columns(summed))
    return _replicate(statistics, needs, cells, [weights[:, is_scored]])


def _replicate(
    statistics: Statistics, needs: Collection[str], cells: Cells, draws: Iterable[Ints]
) -> Statistics:
    """Return the fields and rows in `needs` for each row of the weights (r, M) of the cells."""
    names = {name for name in needs if name in statistics.fields}
    summed = names & _SUMS.keys()
    rows = {name: statistics.rows[name].cpu() for name in needs if name not in names}
    parts: dict[str, list[Array]] = {name: [] for name in summed}
    weights: list[Ints] = []
    count = 0
    for drawn in draws:
        count += len(drawn)
        for name, part in parts.items():
            part.append(_field(name, statistics.fields[name].shape, cells, drawn))
        if rows:
            weights.append(_of_all(drawn, statistics))
    fields = {name: torch.from_numpy(np.concatenate(part)) for name, part in parts.items()}
    for name in names - summed:
        value = statistics.fields[name].cpu()
        fields[name] = value.expand(count, *value.shape)
    if rows:
        rows["weight"] = torch.from_numpy(np.concatenate(weights))
    return Statistics(fields, rows)


def _coarsest(statistics: Statistics, needs: Collection[str]) -> Cells:
    if _OF_PAIRS.issuperset(needs):
        return _of_pairs(statistics)
    if _OF_RANKS.issuperset(needs):
        sizes = statistics.fields["rank"].cpu().numpy()
        (rank,) = sizes.nonzero()
        return Cells(sizes[rank], {"rank": rank})
    columns = _columns(needs)
    return merge_levels(_of_examples(statistics, columns), columns)


def _columns(needs: Collection[str]) -> list[str]:
    return sorted({column for name in needs for column in _SUMS[name] if column is not None})


def _of_pairs(statistics: Statistics) -> Cells:
    classes = len(statistics.fields["support"])
    if "confusion" in statistics.fields:
        confusion = statistics.fields["confusion"].flatten().cpu().numpy()
        (pair,) = confusion.nonzero()
        sizes = confusion[pair]
    else:
        examples = _of_examples(statistics, ["pair"])
        pair, sizes = np.unique(examples.columns["pair"], return_counts=True)
    return Cells(sizes, _with_pairs(pair // classes, pair % classes, classes))


def _of_examples(statistics: Statistics, wanted: Collection[str]) -> Cells:
    is_scored = _is_scored(statistics)
    # Only what is wanted: a column of a million examples is 8 MB.
    names = {source for name in wanted for source in _SOURCES.get(name, (name,))}
    column = {name: statistics.rows[name].cpu().numpy()[is_scored] for name in names}
    if {"target", "prediction"} <= names:
        classes = len(statistics.fields["support"])
        column |= _with_pairs(column["target"], column["prediction"], classes)
    if "bin" in wanted:
        bins = len(statistics.fields["bin_count"])
        column["bin"] = np.minimum((column["confidence"] * bins).astype(np.int64), bins - 1)
    return Cells(np.ones(int(is_scored.sum()), dtype=np.int64), column)


def _with_pairs(target: Ints, prediction: Ints, classes: int) -> dict[str, Array]:
    return {
        "target": target,
        "prediction": prediction,
        "pair": target * classes + prediction,
        "is_correct": (target == prediction).astype(np.int64),
    }


def _is_scored(statistics: Statistics) -> Array:
    if "prediction" not in statistics.rows:
        raise DataError(
            "these statistics keep no row for each example, without which only counts by class "
            "or by rank can be resampled; make them with the task's `statistics` and `update_`"
        )
    prediction: Array = statistics.rows["prediction"].cpu().numpy()
    return prediction >= 0


def _of_all(weights: Ints, statistics: Statistics) -> Ints:
    # An example that was not scored is never drawn.
    is_scored = _is_scored(statistics)
    of_all = np.zeros((len(weights), len(is_scored)), dtype=np.int64)
    of_all[:, is_scored] = weights
    return of_all


def _field(name: str, shape: torch.Size, cells: Cells, weights: Ints) -> Array:
    key, value = _SUMS[name]
    if key:
        return cells.sum(weights, key, shape.numel(), value).reshape(-1, *shape)
    values = cells.columns[value] if value else None
    # Unlike a matrix product, einsum keeps to one thread and so to one order.
    total: Array = weights.sum(axis=1) if values is None else np.einsum("ij,j->i", weights, values)
    return total
