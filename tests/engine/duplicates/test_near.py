from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ftcore.engine.duplicates.features import FeatureLikeness
from ftcore.engine.duplicates.near import Search

FAR = 40  # unrelated vectors


def spread(count: int = FAR) -> Tensor:
    """Vectors that are nearly at right angles to each other."""
    return torch.randn(count, 256, generator=torch.Generator().manual_seed(0))


def beside(vector: Tensor, distance: float, seed: int = 1) -> Tensor:
    """A vector whose cosine with another is 1 - distance."""
    noise = torch.randn(len(vector), generator=torch.Generator().manual_seed(seed))
    unit = vector / vector.norm()
    away = noise - (noise @ unit) * unit
    cosine = 1 - distance
    found: Tensor = cosine * unit + math.sqrt(1 - cosine**2) * away / away.norm()
    return found


def search(sketches: Tensor, certain: float = 2.0, hints: Tensor | None = None) -> Search:
    return Search(FeatureLikeness(threshold=0.9, certain=certain, ratio=0.12), sketches, hints)


@pytest.mark.parametrize(("distance", "is_found"), [(0.001, True), (0.05, True), (0.15, False)])
def test_a_near_vector_among_unrelated_ones_is_found(distance: float, is_found: bool) -> None:
    far = spread()
    sketches = torch.cat([far, beside(far[3], distance)[None]])
    found = search(sketches).among(list(range(len(sketches))))
    assert [(pair.one, pair.other) for pair in found] == ([(3, FAR)] if is_found else [])
    for pair in found:
        assert pair.likeness == pytest.approx(1 - distance, abs=1e-4)


def test_where_all_are_alike_only_what_is_much_nearer_is_found() -> None:
    alike = 10 * torch.ones(256) + spread()  # cosines of 0.99
    sketches = torch.cat([alike, alike[:1] + 0.1 * spread(1), alike[5:6] + 0.9 * spread(1)])
    pairs = search(sketches).among(list(range(len(sketches))))
    assert [(pair.one, pair.other) for pair in pairs] == [(0, FAR)]


def test_many_copies_of_one_are_found_where_they_are_certain() -> None:
    far = spread()
    copies = torch.stack([beside(far[0], 0.004, seed) for seed in range(1, 21)])
    places = list(range(FAR + 20))
    assert search(torch.cat([far, copies])).among(places) == []  # none stands out
    assert len(search(torch.cat([far, copies]), certain=0.99).among(places)) > 20  # pairs


@pytest.mark.parametrize(
    "sketches",
    [torch.ones(30, 8), torch.zeros(30, 8), torch.full((30, 8), torch.nan), torch.ones(1, 8)],
    ids=["constant", "zero", "not finite", "one example"],
)
def test_what_tells_nothing_is_no_copy(sketches: Tensor) -> None:
    assert search(sketches).among(list(range(len(sketches)))) == []


def test_two_examples_are_compared_though_nothing_says_what_is_usual() -> None:
    far = spread(2)
    assert search(far).among([0, 1]) == []
    near = torch.stack([far[0], beside(far[0], 0.02)])
    assert [(pair.one, pair.other) for pair in search(near).among([0, 1])] == [(0, 1)]


def test_between_looks_across_alone() -> None:
    far = spread()
    sketches = torch.cat([far, beside(far[0], 0.01)[None], beside(far[0], 0.02)[None]])
    tests, others = [FAR, FAR + 1], list(range(FAR))
    pairs = search(sketches).between(tests, others)
    assert {(pair.one, pair.other) for pair in pairs} == {(0, FAR), (0, FAR + 1)}
    assert search(sketches).between([], others) == []
    assert search(sketches).between(tests, []) == []


def test_a_hint_is_looked_at_though_the_budget_is_spent() -> None:
    far = spread()
    sketches = torch.cat([far, beside(far[3], 0.01)[None]])
    places = list(range(len(sketches)))
    assert search(sketches).among(places, most=0) == []
    hinted = search(sketches, hints=torch.tensor([[FAR, 3], [1, 2]])).among(places, most=0)
    assert [(pair.one, pair.other) for pair in hinted] == [(3, FAR)]
