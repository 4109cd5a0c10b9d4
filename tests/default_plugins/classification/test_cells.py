from __future__ import annotations

import numpy as np
import pytest

from ftcore.default_plugins.classification import cells as module
from ftcore.default_plugins.classification.cells import Cells, Ints


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


@pytest.mark.parametrize("values", [None, np.array([0.5, 2.0, 4.0, 8.0]), np.array([1, 0, 1, 0])])
@pytest.mark.parametrize("keys", [[3, 0, 3, 1], [0, 1, 3, 3]], ids=str)
def test_a_sum_by_key_equals_a_loop(keys: list[int], values: module.Array | None) -> None:
    weights = np.arange(12).reshape(3, 4)
    expected = np.zeros((3, 5))
    for (row, unit), weight in np.ndenumerate(weights):
        expected[row, keys[unit]] += weight * (1 if values is None else values[unit])
    columns = {"key": np.array(keys)} | ({} if values is None else {"value": values})
    cells = Cells(np.ones(4, dtype=np.int64), columns)
    result = cells.sum(weights, "key", 5, None if values is None else "value")
    assert np.array_equal(result, expected)
    assert result.dtype == (np.int64 if values is None else values.dtype)


def test_a_sum_over_nothing_is_zero() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    cells = Cells(nothing, {"key": nothing})
    assert cells.sum(np.zeros((3, 0), dtype=np.int64), "key", 2).tolist() == [[0, 0]] * 3


def test_many_units_in_large_and_small_cells_are_drawn_as_a_multinomial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MANY", 100)
    sizes = [
        60,
        1,
        0,
        30,
        3,
        8,
        *[1] * 20,
        *[0] * 60,
    ]  # 122 units, and too many cells to be grouped
    weights, total = draw(sizes, count=20000), sum(sizes)
    share = np.array(sizes) / total
    assert (weights.sum(axis=1) == total).all()
    assert not weights[:, share == 0].any()
    tolerance = 5 * np.sqrt(total * share * (1 - share) / 20000) + 1e-12
    assert (abs(weights.mean(axis=0) - sizes) <= tolerance).all()
    covariance = total * (np.diag(share) - np.outer(share, share))
    np.testing.assert_allclose(np.cov(weights.T), covariance, atol=0.03 * covariance.max())
    monkeypatch.setattr(module, "_HELD", 3)
    assert np.array_equal(draw(sizes), weights[:50])
