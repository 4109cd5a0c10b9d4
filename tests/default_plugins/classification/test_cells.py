from __future__ import annotations

import numpy as np
import pytest

from ftcore.default_plugins.classification import cells as module
from ftcore.default_plugins.classification.cells import Cells, Ints, grouped_sum


def draw(sizes: list[int], count: int = 50, seed: int = 0) -> Ints:
    cells = Cells(np.array(sizes, dtype=np.int64), {})
    return np.concatenate(list(cells.draw(count, np.random.default_rng(seed))))


@pytest.mark.parametrize(
    "sizes",
    [[5000], [3, 0, 900, 200], [1] * 30, [4, 1, 2], [0, 2], [1, 0, 1], []],
    ids=str,
)
def test_every_replicate_draws_as_many_units_as_there_are(sizes: list[int]) -> None:
    weights = draw(sizes)
    assert weights.shape == (50, len(sizes))
    assert (weights.sum(axis=1) == sum(sizes)).all()
    assert (weights[:, np.array(sizes, dtype=int) == 0] == 0).all()


@pytest.mark.parametrize("sizes", [[4000, 1000, 3000], [5, 1, 2]], ids=["grouped", "one by one"])
def test_moments_are_those_of_a_multinomial(sizes: list[int]) -> None:
    weights, total = draw(sizes, count=20000), sum(sizes)
    share = np.array(sizes) / total
    covariance = total * (np.diag(share) - np.outer(share, share))
    tolerance = 5 * np.sqrt(total / 20000)
    np.testing.assert_allclose(weights.mean(axis=0), sizes, atol=tolerance)
    np.testing.assert_allclose(np.cov(weights.T), covariance, atol=0.05 * total)


@pytest.mark.parametrize("sizes", [[4000, 1000, 3000], [5, 1, 2]], ids=["grouped", "one by one"])
def test_draws_do_not_depend_on_how_many_are_made_at_once(
    sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = draw(sizes)
    monkeypatch.setattr(module, "_HELD", 3)
    assert np.array_equal(draw(sizes), whole)


@pytest.mark.parametrize("values", [None, np.array([0.5, 2.0, 4.0, 8.0])])
def test_grouped_sum_equals_a_loop(values: module.Array | None) -> None:
    weights, keys = np.arange(12).reshape(3, 4), np.array([3, 0, 3, 1])
    expected = np.zeros((3, 5))
    for (row, unit), weight in np.ndenumerate(weights):
        expected[row, keys[unit]] += weight * (1 if values is None else values[unit])
    result = grouped_sum(weights, keys, 5, values)
    assert np.array_equal(result, expected)
    assert result.dtype == (np.int64 if values is None else np.float64)


def test_grouped_sum_of_nothing_is_zero() -> None:
    empty = np.zeros((3, 0), dtype=np.int64)
    assert grouped_sum(empty, np.zeros(0, dtype=np.int64), 2).tolist() == [[0, 0]] * 3
