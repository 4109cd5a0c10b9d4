"""The search for learning rate and weight decay: many heads on the kept features, in one go.

Each head is trained as a run would train it alone, and judged on the validation part; the test
part takes no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from ftcore.config import RunConfig
from ftcore.engine.batches import cached
from ftcore.engine.features.feeds import Feed
from ftcore.engine.heads import (
    Examples,
    Fold,
    TrainedHead,
    grid,
    learning_rates,
    select,
    train_heads,
    weight_decays,
)
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import settled
from ftcore.engine.parts import RunParts
from ftcore.errors import ConfigError
from ftcore.record import SearchRecord


def is_searched(config: RunConfig) -> bool:
    """Tell whether the configuration leaves the learning rate or the weight decay to a search."""
    return "auto" in (config.lr, config.weight_decay)


def check_searchable(config: RunConfig, *, is_head_alone: bool) -> None:
    """Raise ConfigError unless a search is possible: on features that are kept, of a head alone."""
    if is_searched(config) and not is_head_alone:
        option = "--lr" if config.lr == "auto" else "--weight-decay"
        raise ConfigError(
            f"{option} auto tries many heads on the features of a backbone that is frozen "
            "throughout and computed once, which is not so here; give a number, or use "
            "--freeze bottom, --cache auto, and --views where --augment is given"
        )


def search(
    parts: RunParts, feed: Feed, observer: Observer
) -> tuple[RunParts, tuple[SearchRecord, ...]]:
    """Return the parts with the best learning rate and weight decay, and how all fared.

    Where training examples have views, the heads are trained on the first.
    """
    config = parts.config
    examples, fold = examples_of(feed)
    heads = grid([fold], [config.seed], *choices(config))
    trained = train_heads(parts, examples, heads, observer)
    chosen = select(trained, parts.metrics[0])
    found = {"lr": chosen.head.lr, "weight_decay": chosen.head.weight_decay}
    observer.note(
        f"tried {len(trained)} heads; the best has --lr {chosen.head.lr:g} "
        f"--weight-decay {chosen.head.weight_decay:g}"
    )
    parts = replace(parts, config=config.model_copy(update=found))
    return parts, describe_search(trained, chosen)


def choices(config: RunConfig) -> tuple[Sequence[float], Sequence[float]]:
    """Return the learning rates and the weight decays to try: several where one is open."""
    is_open = config.lr == "auto", config.weight_decay == "auto"
    rates = learning_rates(config.optimizer) if is_open[0] else (settled(config.lr),)
    decays = weight_decays(config.optimizer) if is_open[1] else (settled(config.weight_decay),)
    return rates, decays


def describe_search(
    trained: Sequence[TrainedHead], chosen: TrainedHead
) -> tuple[SearchRecord, ...]:
    """Return how all heads fared that were tried."""
    return tuple(_record(each, is_chosen=each is chosen) for each in trained)


def examples_of(feed: Feed) -> tuple[Examples, Fold]:
    """Return the features of train and val in one tensor, and which rows are whose.

    Where training examples have views, those of the first.
    """
    sources = [cached(feed.sources[part]) for part in ("train", "val")]
    features = torch.cat([source.first_view() for source in sources])
    targets = torch.cat([source.targets for source in sources])
    train = torch.arange(len(sources[0].targets))
    return Examples(features, targets), Fold(train, torch.arange(len(train), len(targets)))


def _record(each: TrainedHead, *, is_chosen: bool) -> SearchRecord:
    best = each.best if not each.failure else None
    return SearchRecord(
        lr=each.head.lr,
        weight_decay=each.head.weight_decay,
        best_epoch=None if best is None else best.epoch,
        val={} if best is None else best.val,
        val_loss=None if best is None else best.val_loss,
        is_chosen=is_chosen,
    )
