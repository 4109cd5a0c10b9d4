"""The linear probe: the task's own head, trained alone on the pretrained features."""

from __future__ import annotations

from dataclasses import replace

from ftcore.engine.batches import cached
from ftcore.engine.device import free_memory
from ftcore.engine.features.cut import MEMORY_FRACTION
from ftcore.engine.features.feeds import Feed
from ftcore.engine.heads import grid, learning_rates, select, train_heads
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import settled
from ftcore.engine.preparation import Prepared
from ftcore.engine.search import examples_of
from ftcore.errors import ConfigError
from ftcore.interfaces import Statistics
from ftcore.record import format_bytes

EPOCHS = 10  # at least: an underfitted head would make any run look good


def score_probe(prepared: Prepared, feed: Feed, observer: Observer) -> tuple[Statistics, str]:
    """Return the statistics of the test part, and how they were made.

    Eight learning rates are tried, and the val part chooses. ConfigError where the features do not
    fit into memory, NumericalError where all heads fail, StoppedError where the observer stops.
    """
    _check_memory(feed)
    parts = prepared.parts
    config = parts.config.model_copy(
        update={"accumulate": 1, "epochs": max(parts.config.epochs, EPOCHS), "patience": None}
    )
    examples, fold = examples_of(feed)
    rates, decay = learning_rates(config.optimizer), settled(config.weight_decay)
    heads = grid([fold], [config.seed], rates, [decay])
    trained = train_heads(replace(parts, config=config), examples, heads, observer)
    chosen = select(trained, parts.metrics[0])
    head = parts.task.build_head(parts.backbone, parts.bundle)
    head.load_state_dict(chosen.state)
    head.to(prepared.machine.device)
    statistics, _ = prepared.evaluator.statistics(head, feed.sources["test"], observer)
    return statistics, (
        f"the head alone on the pretrained features, {config.epochs} epochs, learning rate "
        f"{chosen.head.lr:g}, the best of {len(rates)} on the val part"
    )


def _check_memory(feed: Feed) -> None:
    sources = [cached(feed.sources[part]) for part in ("train", "val")]
    size = sum(source.features.row_bytes * len(source.targets) for source in sources)
    if size > MEMORY_FRACTION * free_memory():
        raise ConfigError(f"the head would need {format_bytes(size)} of features in memory")
