"""k nearest neighbours among the training examples, by the cosine of pretrained features.

A neighbour weighs exp(cosine / 0.07): Wu et al. 2018, "Unsupervised Feature Learning via
Non-Parametric Instance Discrimination". There are 20, as in Caron et al. 2021, "Emerging Properties
in Self-Supervised Vision Transformers" (DINO).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ftcore.engine.batches import CachedSource, cached
from ftcore.engine.features.feeds import Feed
from ftcore.engine.needs import needs_of
from ftcore.engine.observer import Observer
from ftcore.engine.parts import Parts
from ftcore.errors import StoppedError
from ftcore.interfaces import NeighbourTask, Statistics

COUNT = 20
TEMPERATURE = 0.07
HELD = 2**22  # numbers of 4 bytes in a block of features, or of cosines


@dataclass(frozen=True)
class Neighbours:
    """The k nearest training examples of some others, the nearest first, (N, k) each."""

    cosines: Tensor  # float32
    rows: Tensor  # int64, in the training part

    @property
    def weights(self) -> Tensor:
        """How much each counts beside the nearest, whose weight is 1."""
        return ((self.cosines - self.cosines[:, :1]) / TEMPERATURE).exp()


def score_neighbours(
    task: NeighbourTask, parts: Parts, feed: Feed, device: torch.device, observer: Observer
) -> tuple[Statistics, str]:
    """Return the statistics of the test part, and how they were made.

    StoppedError where the observer asks to stop.
    """
    train, test = (cached(feed.sources[part]) for part in ("train", "test"))
    needs = needs_of(parts.metrics)
    statistics = task.statistics(parts.bundle, needs)
    count = min(COUNT, len(train.targets))
    observer.step_started("nearest neighbours", len(test.targets), "examples")
    for indices in _blocks(test):
        found = nearest(train, _load(test, indices, device), count)
        targets = train.targets[found.rows]
        outputs = task.outputs_of_neighbours(parts.bundle, targets, found.weights)
        task.update_(statistics, outputs, test.targets[indices])
        observer.advanced(len(indices))
        if observer.should_stop():
            raise StoppedError("Stopped while neighbours were looked for")
    observer.step_finished()
    return statistics, (
        f"the {count} nearest training examples by the cosine of the pretrained features, "
        f"each weighing exp(cosine / {TEMPERATURE})"
    )


def nearest(train: CachedSource, queries: Tensor, count: int) -> Neighbours:
    """Return the `count` training examples nearest to each of the unit rows (N, D)."""
    cosines = queries.new_empty((len(queries), 0))
    rows = torch.empty((len(queries), 0), dtype=torch.int64, device=queries.device)
    for indices in _blocks(train):
        here = queries @ _load(train, indices, queries.device).T
        best, place = here.topk(min(count, len(indices)), dim=1)
        cosines = torch.cat([cosines, best], dim=1)
        rows = torch.cat([rows, indices.to(queries.device)[place]], dim=1)
        cosines, kept = cosines.topk(min(count, cosines.shape[1]), dim=1)
        rows = rows.gather(1, kept)
    return Neighbours(cosines.cpu(), rows.cpu())


def _blocks(source: CachedSource) -> Iterator[Tensor]:
    """The indices of a part, so many at a time that neither features nor cosines take much."""
    width = source.features.parts[0][0].numel()
    size = min(int(HELD**0.5), max(1, HELD // max(1, width)))
    count = len(source.targets)
    for start in range(0, count, size):
        yield torch.arange(start, min(start + size, count))


def _load(source: CachedSource, indices: Tensor, device: torch.device) -> Tensor:
    features = source.features.take(source.rows[0][indices]).to(device)
    return normalize(features.flatten(1).float(), dim=1)
