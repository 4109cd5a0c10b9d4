"""More heads with other seeds: how much of a result is chance.

Where a head alone is trained on kept features, training it again with other first weights and
another order of the examples takes next to no time, and tells what one run cannot.
"""

from __future__ import annotations

from dataclasses import dataclass

from ftcore.config import RunConfig
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.features.feeds import Feed
from ftcore.engine.heads import grid, train_heads
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import settled
from ftcore.engine.parts import Parts
from ftcore.engine.search import examples_of
from ftcore.errors import ConfigError
from ftcore.interfaces import FreezePlan, Statistics

DEFAULT = 4


@dataclass(frozen=True)
class Repeat:
    """A head like the run's, but for its seed, and how it did on the test part."""

    seed: int
    statistics: Statistics


def count_repeats(config: RunConfig, plan: FreezePlan, *, is_head_alone: bool) -> int:
    """Return how many more heads to train; ConfigError where some are asked for and cannot be.

    `is_head_alone` says whether all below the head is computed once.
    """
    is_possible = is_head_alone and trains_as_heads(config, plan)
    if config.repeats and not is_possible:
        raise ConfigError(
            f"--repeats {config.repeats} trains more heads on the features of a backbone that is "
            "frozen throughout and computed once, in fp32, without --augment and --accumulate, "
            "which is not so here; ftcore study --seeds repeats whole runs"
        )
    if config.repeats is None:
        return DEFAULT if is_possible else 0
    return config.repeats


def trains_as_heads(config: RunConfig, plan: FreezePlan) -> bool:
    """Tell whether what trains is a head alone, and heads trained together come out as it does."""
    if config.cache == "off" or config.augment != "none" or config.accumulate > 1:
        return False
    if config.precision != "fp32" or plan.adapters or len(plan.phases) > 1:
        return False
    rates = plan.phases[0].rates
    return all(name.startswith("head.") and rate == 1 for name, rate in rates.items())


def repeat(
    parts: Parts, count: int, feed: Feed, evaluator: Evaluator, observer: Observer
) -> tuple[Repeat, ...]:
    """Train and test `count` more heads, with the seeds that follow the run's; none that fails."""
    config = parts.config
    examples, fold = examples_of(feed)
    seeds = range(config.seed + 1, config.seed + 1 + count)
    rates = (settled(config.lr),), (settled(config.weight_decay),)
    head = parts.task.build_head(parts.backbone, parts.bundle)
    head.to(examples.features.device)
    found = []
    for trained in train_heads(parts, examples, grid([fold], seeds, *rates), observer):
        if not trained.failure:
            head.load_state_dict(trained.state)
            statistics, _ = evaluator.statistics(head, feed.sources["test"], observer)
            found.append(Repeat(trained.head.seed, statistics))
    return tuple(found)
