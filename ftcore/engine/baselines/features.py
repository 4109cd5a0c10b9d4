"""What the pretrained backbone makes of the examples, before training moves it."""

from __future__ import annotations

from dataclasses import replace

from ftcore.engine.batches import RawSource
from ftcore.engine.device import free_memory
from ftcore.engine.features.cut import MEMORY_FRACTION, Cuts
from ftcore.engine.features.feeds import Feed, Feeder
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import Prepared
from ftcore.errors import ConfigError
from ftcore.record import format_bytes


def pretrained_features(prepared: Prepared, feed: Feed, observer: Observer) -> Feed:
    """Return the features of every part, above all stages, of examples that are not augmented.

    `feed` is the run's own: where it is above all stages it serves as it is, and where it is not
    they are made from it. ConfigError where they are too large to be kept.
    """
    is_plain = prepared.parts.config.augment == "none"
    own = prepared.feeder.above_all() if is_plain else None
    if own is not None:
        return own
    feeder = _feeder(prepared, feed if is_plain else None, observer)
    feeder.decide()
    size = sum(cost.bytes for cost in feeder.costs)
    is_too_large = feeder.keep == "memory" and size > MEMORY_FRACTION * free_memory()
    if feeder.keep == "off" or is_too_large:
        raise ConfigError(f"the features, {format_bytes(size)}, are larger than what is allowed")
    return feeder.throughout()


def _feeder(prepared: Prepared, below: Feed | None, observer: Observer) -> Feeder:
    parts, own = prepared.parts, prepared.feeder
    top = len(parts.backbone.stages)
    # Adapters, which change nothing yet, are drawn by the seed: no other run asks for these.
    in_memory = parts.config.cache in ("off", "memory") or prepared.freezer.plan.adapters
    config = parts.config.model_copy(update={"cache": "memory" if in_memory else "auto"})
    raw = {
        part: RawSource(split, parts.backbone.preprocess, config.seed)
        for part, split in parts.bundle.splits.items()
    }
    return Feeder(
        replace(parts, config=config),
        own.stages,
        own.plan,
        Cuts(top, (top,) * len(own.plan.phases)),
        raw,
        observer,
        None if below is None or below.stages == 0 else below,
    )
