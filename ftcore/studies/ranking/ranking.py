"""Ranks one backbone: a pass over the training part, the scores, the cost."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn

from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.result import describe_weights
from ftcore.record import RankedBackbone
from ftcore.studies.ranking import scores
from ftcore.studies.ranking.cost import measure_cost
from ftcore.studies.ranking.extraction import extract
from ftcore.studies.ranking.pareto import undominated

COSTS = ("latency", "flops", "parameters", "memory")


def rank_backbone(name: str, parts: RunParts, observer: Observer) -> RankedBackbone:
    """Return the scores and the cost of the backbone of `parts`, asked for as `name`.

    `parts` freezes the bottom and holds the train and val parts alone. Raises what `extract` does.
    """
    seconds: dict[str, float] = {}
    with _timed(seconds, "features"):
        extracted = extract(parts, observer)
    with _timed(seconds, "scores"):
        source = None
        if extracted.outputs is not None:
            source = extracted.outputs.double().softmax(dim=1).numpy()
        result = scores.score(
            extracted.features.double().numpy(),
            extracted.targets.numpy(),
            source,
            extracted.why_not,
        )
    prepared = extracted.prepared
    with _timed(seconds, "cost"):
        stages = nn.Sequential(*(stage.module for stage in parts.backbone.stages))
        cost = measure_cost(stages, prepared.feeder.raw["train"], prepared.machine)
    return RankedBackbone(
        name=name,
        weights=describe_weights(parts.backbone),
        feature_dim=parts.backbone.feature_dim,
        preprocess=dict(parts.backbone.preprocess.describe()),
        scores=result.values,
        undefined=result.reasons,
        cost=cost,
        found=extracted.found,
        computed=extracted.computed,
        seconds=seconds,
    )


def mark_undominated(ranked: Sequence[RankedBackbone], score: str) -> list[RankedBackbone]:
    """Return the backbones, those marked that none beats in both latency and score."""
    costs = [cost_of(each, "latency") for each in ranked]
    values = [each.scores.get(score) for each in ranked]
    return [
        each.model_copy(update={"is_undominated": is_on})
        for each, is_on in zip(ranked, undominated(costs, values), strict=True)
    ]


def in_order(ranked: Sequence[RankedBackbone], column: str) -> list[RankedBackbone]:
    """Return the backbones from best to worst in a column, a score or a cost; failures last."""

    def key(each: RankedBackbone) -> tuple[bool, float]:
        value = cost_of(each, column) if column in COSTS else each.scores.get(column)
        if value is None:
            return True, 0.0
        return False, value if column in COSTS else -value

    return sorted(ranked, key=key)


def cost_of(ranked: RankedBackbone, name: str) -> float | None:
    """Return a cost by its name; None for a backbone that failed."""
    cost = ranked.cost
    if cost is None:
        return None
    costs = {
        "latency": cost.one.seconds,
        "flops": cost.flops,
        "parameters": cost.parameters,
        "memory": cost.memory_bytes,
    }
    return float(costs[name])


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start
