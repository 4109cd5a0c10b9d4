from __future__ import annotations

import numpy as np
import pytest
import torch

from ftcore.engine.duplicates import neighbours
from ftcore.engine.duplicates.neighbours import nearest


def vectors(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("blocks", [(1024, 8192), (3, 4), (1, 1)])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_neighbours_are_those_of_a_full_sort(
    monkeypatch: pytest.MonkeyPatch, blocks: tuple[int, int], count: int
) -> None:
    monkeypatch.setattr(neighbours, "ROWS", blocks[0])
    monkeypatch.setattr(neighbours, "COLUMNS", blocks[1])
    queries, others = vectors(7, 5), vectors(2, 11, 5)
    products = np.einsum("qd,vnd->vqn", queries.numpy(), others.numpy()).max(axis=0)
    order = np.argsort(-products, axis=1)[:, :count]
    found = nearest(queries, others, count)
    assert found.places.tolist() == order.tolist()
    np.testing.assert_allclose(found.products, np.take_along_axis(products, order, 1), rtol=1e-5)


def test_an_example_is_no_neighbour_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "ROWS", 2)
    monkeypatch.setattr(neighbours, "COLUMNS", 2)
    all_alike = torch.ones(1, 5, 3)
    found = nearest(all_alike[0], all_alike, 10, own=torch.arange(5))
    assert [sorted(row) for row in found.places.tolist()] == [
        [1, 2, 3, 4], [0, 2, 3, 4], [0, 1, 3, 4], [0, 1, 2, 4], [0, 1, 2, 3]
    ]  # fmt: skip


def test_nobody_has_no_neighbours() -> None:
    assert nearest(torch.zeros(0, 3), vectors(1, 4, 3), 2).places.shape == (0, 2)
