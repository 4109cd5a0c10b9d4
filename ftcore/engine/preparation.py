"""Everything before training: check the data, put the head on, freeze, decide where to cut."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from torch import nn

from ftcore.engine.adapters import add_adapters
from ftcore.engine.batches import RawSource
from ftcore.engine.checks import check_inputs, check_targets
from ftcore.engine.device import Machine
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.features.cut import find_cuts
from ftcore.engine.features.feeds import Feeder
from ftcore.engine.features.stages import FrozenStages
from ftcore.engine.freezing import Freezer, check_plan
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import (
    Factor,
    build_schedule,
    default_learning_rate,
    settled,
)
from ftcore.engine.parts import RunParts
from ftcore.engine.planning import make_plan
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.engine.repeats import count_repeats
from ftcore.engine.search import check_searchable
from ftcore.errors import ConfigError
from ftcore.record import SearchRecord


@dataclass
class Prepared:
    """A model under its freeze plan, and how far it is a fixed function.

    The configuration in `parts` is resolved: what was left to be chosen has been.
    """

    parts: RunParts
    model: nn.Sequential
    freezer: Freezer
    machine: Machine
    feeder: Feeder
    schedule: Factor
    repeats: int = 0  # more heads to train, with other seeds
    seconds: dict[str, float] = field(default_factory=dict)
    search: tuple[SearchRecord, ...] = ()

    @property
    def rate(self) -> float:
        """The peak learning rate of the head."""
        return settled(self.parts.config.lr)

    @property
    def evaluator(self) -> Evaluator:
        """What scores the model on a part."""
        parts = self.parts
        return Evaluator(
            parts.task, parts.bundle, parts.metrics, self.machine, parts.config.workers
        )

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the wall time of the block to `seconds`, less what is timed inside it."""
        self.seconds.setdefault(name, 0.0)
        start, before = time.perf_counter(), sum(self.seconds.values())
        yield
        inside = sum(self.seconds.values()) - before
        self.seconds[name] += time.perf_counter() - start - inside


def prepare(parts: RunParts, observer: Observer) -> Prepared:
    """Return what a run would train and evaluate; nothing is trained or written yet.

    Raises a child of FtcoreError that names what cannot be used. Inputs are read here, unless the
    frozen stages will see them all before training.
    """
    config = parts.config
    machine = Machine.of(config)
    schedule = build_schedule(config.schedule, config.epochs)
    start = time.perf_counter()
    check_targets(parts.bundle, parts.task)
    raw = {part: _raw_source(parts, part) for part in parts.bundle.splits}
    seed_torch(MODEL, config.seed)
    head = parts.task.build_head(parts.backbone, parts.bundle)
    model = assemble(parts.backbone, head).to(machine.device).to(memory_format=machine.layout)
    plan = make_plan(parts, model, raw["train"], machine, observer)
    add_adapters(model, plan.adapters)
    check_plan(plan, model, config.epochs)
    freezer = Freezer(model, plan)
    freezer.enter(plan.phases[0])
    cuts = find_cuts(model, plan, config, is_random=raw["train"].preprocess.is_random)
    stages = FrozenStages(model, parts.backbone, machine, config.prefix)
    feeder = Feeder(parts, stages, plan, cuts, raw, observer)
    feeder.decide()
    if not feeder.cuts.throughout:
        check_inputs(parts.bundle, observer)
    seconds = {"preparation": time.perf_counter() - start}
    is_head_alone = feeder.cuts.throughout == len(parts.backbone.stages)
    check_searchable(config, is_head_alone=is_head_alone)
    repeats = count_repeats(config, plan, is_head_alone=is_head_alone)
    # A resumed run must not choose again: free memory, say, may differ then.
    resolved = {
        "lr": config.lr or default_learning_rate(plan, parts.backbone.weights),
        "cache": feeder.keep,
        "repeats": repeats,
    }
    parts = replace(parts, config=config.model_copy(update=resolved))
    return Prepared(parts, model, freezer, machine, feeder, schedule, repeats, seconds)


def _raw_source(parts: RunParts, part: str) -> RawSource:
    """The raw examples of a part; those of train are augmented where that is asked for."""
    config, preprocess, views = parts.config, parts.backbone.preprocess, 0
    if config.views and config.augment == "none":
        raise ConfigError(
            f"--views {config.views} keeps augmented examples, but nothing augments them; "
            "add --augment, as in crop+flip, or leave --views out"
        )
    if part == "train" and config.augment != "none":
        preprocess, views = preprocess.augmented(config.augment), config.views
    return RawSource(parts.bundle.splits[part], preprocess, config.seed, views)
