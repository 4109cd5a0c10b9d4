from __future__ import annotations

import pytest
import torch

from ftcore.engine.batches import CachedSource, RawSource
from ftcore.engine.duplicates.features import WIDEST, FeatureLikeness, gather_features, hint_at
from ftcore.engine.features.segment import Rows as Kept
from tests.tiny import ToFloat, make_split


def cached(features: torch.Tensor, rows: list[list[int]]) -> CachedSource:
    count = len(rows[0])
    return CachedSource(Kept([features]), torch.tensor(rows), torch.zeros(count), ["x"] * count)


def test_likeness_of_features_is_their_cosine() -> None:
    one = torch.tensor([[3.0, 4.0], [1.0, 0.0], [0.0, 0.0], [torch.nan, 1.0]])
    other = torch.tensor([[4.0, 3.0], [0.0, 2.0], [1.0, 0.0], [1.0, 1.0]])
    assert FeatureLikeness().compare(one, other).tolist() == pytest.approx([0.96, 0, 0, 0])


def test_wide_maps_are_averaged() -> None:
    maps = torch.arange(2 * 3 * WIDEST).reshape(2, 3, WIDEST)
    narrow = FeatureLikeness().sketch(maps)  # type: ignore[arg-type]
    assert narrow.shape == (2, WIDEST)
    assert narrow[0, :2].tolist() == [1.0, 4.0]


def test_features_of_all_parts_come_in_a_line() -> None:
    features = torch.eye(3, dtype=torch.bfloat16)
    gathered = gather_features([cached(features, [[2, 0]]), cached(features, [[1]])])
    assert gathered is not None
    assert gathered.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_augmented_features_and_raw_examples_are_none() -> None:
    assert gather_features([cached(torch.eye(2), [[0], [1]])]) is None
    assert gather_features([RawSource(make_split(3, 3, 0, "x"), ToFloat(), 0)]) is None


def test_hints_are_the_nearest_of_each_place() -> None:
    features = torch.tensor([[1.0, 0.0], [9.0, 9.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    pairs = {tuple(sorted(pair)) for pair in hint_at(features, [0, 2, 3, 4]).tolist()}
    assert {(0, 2), (3, 4)} <= pairs
    assert not any(1 in pair for pair in pairs)
