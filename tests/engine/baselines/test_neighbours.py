from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from ftcore.engine.baselines import neighbours
from ftcore.engine.baselines.neighbours import nearest, score_neighbours
from ftcore.engine.batches import CachedSource
from ftcore.engine.features.feeds import Feed
from ftcore.engine.features.segment import Rows
from ftcore.engine.observer import Observer
from ftcore.errors import StoppedError
from ftcore.interfaces import NeighbourTask
from tests.engine.test_run import StopAfter, make_parts
from tests.tiny import make_bundle

CPU = torch.device("cpu")


def source(features: torch.Tensor, targets: torch.Tensor) -> CachedSource:
    rows = torch.arange(len(features))[None]
    half = len(features) // 2  # in two segments, as features on disk are
    parts = Rows([features[:half], features[half:]])
    return CachedSource(parts, rows, targets, [str(index) for index in range(len(features))])


def feed(train: int = 45, test: int = 30, width: int = 8) -> Feed:
    generator = torch.Generator().manual_seed(0)
    bundle, sources = make_bundle(train=train, test=test), {}
    for part in ("train", "test"):
        targets = bundle.splits[part].targets
        features = torch.randn(len(targets), width, generator=generator)
        features[:, 0] += 2 * targets
        sources[part] = source(features, targets)
    return Feed(4, sources)


def features_of(feed: Feed, part: str) -> np.ndarray:
    return np.asarray(feed.sources[part].load(range(len(feed.sources[part].targets)), 0))


@pytest.mark.parametrize("held", [2**22, 64])
def test_votes_are_those_of_another_library(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "HELD", held)
    parts, given = make_parts(), feed()
    assert isinstance(parts.task, NeighbourTask)
    statistics, words = score_neighbours(parts.task, parts, given, CPU, Observer())
    oracle = KNeighborsClassifier(
        20,
        metric="cosine",
        algorithm="brute",
        weights=lambda distances: np.exp((1 - distances) / 0.07),
    ).fit(features_of(given, "train"), given.sources["train"].targets.numpy())
    features = features_of(given, "test")
    assert statistics.rows["prediction"].tolist() == oracle.predict(features).tolist()
    votes = (20 * oracle.predict_proba(features) + 1 / 3) / 21  # and one vote for all alike
    assert statistics.rows["confidence"].numpy() == pytest.approx(votes.max(1), rel=1e-4)
    assert words.startswith("the 20 nearest training examples")


def test_few_training_examples_are_all_neighbours() -> None:
    parts, given = make_parts(), feed(train=6)
    assert isinstance(parts.task, NeighbourTask)
    statistics, words = score_neighbours(parts.task, parts, given, CPU, Observer())
    assert int(statistics.n) == 30
    assert words.startswith("the 6 nearest")


def test_the_nearest_come_first_whatever_their_length() -> None:
    train = source(torch.tensor([[1.0, 0], [0, 3], [5, 5], [-2, 0]]), torch.zeros(4))
    found = nearest(train, torch.tensor([[1.0, 0.0]]), 3)
    assert found.rows.tolist() == [[0, 2, 1]]
    assert found.cosines[0].tolist() == pytest.approx([1, 0.5**0.5, 0])
    expected = np.exp((np.array([1, 0.5**0.5, 0]) - 1) / 0.07)
    assert found.weights[0].tolist() == pytest.approx(expected.tolist())


def test_looking_for_neighbours_can_be_stopped() -> None:
    parts = make_parts()
    assert isinstance(parts.task, NeighbourTask)
    with pytest.raises(StoppedError, match="neighbours"):
        score_neighbours(parts.task, parts, feed(), CPU, StopAfter(1))
