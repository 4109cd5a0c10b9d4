from __future__ import annotations

import numpy as np
import pytest

from ftcore.default_plugins.classification import levels as module
from ftcore.default_plugins.classification.cells import Array, Cells
from ftcore.default_plugins.classification.levels import merge_levels


def examples(count: int = 40_000, classes: int = 3) -> Cells:
    generator = np.random.default_rng(0)
    columns: dict[str, Array] = {
        "target": generator.integers(classes, size=count),
        "is_correct": generator.integers(2, size=count),
        "nll": generator.exponential(size=count),
        "brier": generator.random(count),
    }
    return Cells(np.ones(count, dtype=np.int64), columns)


@pytest.mark.parametrize(
    "columns", [["nll"], ["target"], ["target", "is_correct"], ["nll", "target"]], ids=str
)
def test_cells_hold_every_example_and_the_sums_of_each_key(columns: list[str]) -> None:
    whole = examples()
    cells = merge_levels(whole, columns)
    assert len(cells.sizes) <= 2**15
    assert cells.sizes.sum() == 40_000
    weights, ones = cells.sizes[None], whole.sizes[None]
    for key in set(columns) - {"nll"}:
        assert np.array_equal(cells.sum(weights, key, 3), whole.sum(ones, key, 3))
        if "nll" in columns:
            expected = np.bincount(whole.columns[key], whole.columns["nll"], minlength=3)
            np.testing.assert_allclose(cells.sum(weights, key, 3, "nll")[0], expected)


def test_an_example_is_moved_by_less_than_a_level() -> None:
    whole = examples()
    nll = whole.columns["nll"]
    cells = merge_levels(whole, ["nll"])
    means, width = np.repeat(cells.columns["nll"], cells.sizes), np.ptp(nll) / 4096
    assert abs(means - np.sort(nll)).max() <= width
    assert 1 - means.var() / nll.var() == pytest.approx(width**2 / 12 / nll.var(), rel=0.5)


@pytest.mark.parametrize(
    ("cells", "columns"),
    [
        (examples(2**15), ["nll"]),  # not many
        (examples(), ["nll", "brier"]),  # two columns of floats
        (examples(classes=4000), ["nll", "target"]),  # too many keys for levels within them
    ],
)
def test_examples_are_left_apart(cells: Cells, columns: list[str]) -> None:
    assert merge_levels(cells, columns) is cells


def test_equal_values_are_one_cell() -> None:
    whole = examples()
    whole.columns["nll"][:] = 0.1
    assert merge_levels(whole, ["nll"]).sizes.tolist() == [40_000]


def test_keys_are_told_apart_whatever_their_range() -> None:
    large = np.array([0, 2**40, 2**40, 5])
    keys = module._keys([large, large[::-1], large], 4)
    assert len(set(keys.tolist())) == 3
    assert keys[1] == keys[2]
