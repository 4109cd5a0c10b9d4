"""The same run from random weights: everything trains, for as many epochs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from ftcore.engine import checkpoint
from ftcore.engine.features.feeds import Feed
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import Prepared, prepare
from ftcore.engine.training import Trainer
from ftcore.interfaces import Backbone, FreezePlan, Phase, Statistics

_NOTHING_FROZEN = "scratch"  # in place of a digest


@dataclass(frozen=True)
class Everything:
    """The strategy that freezes nothing."""

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which all trains at the full rate."""
        names = [*backbone.named_parameters(), *(f"head.{n}" for n, _ in head.named_parameters())]
        return FreezePlan((Phase(0, dict.fromkeys(names, 1.0)),))


class Aside(Observer):
    """Shows the steps of a baseline under its name, and none of its epochs."""

    def __init__(self, outer: Observer, name: str) -> None:
        self._outer, self._name = outer, name

    def step_started(self, name: str, total: int, unit: str) -> None:
        """Begin a step."""
        self._outer.step_started(f"{self._name}, {name}", total, unit)

    def advanced(self, count: int) -> None:
        """Move on."""
        self._outer.advanced(count)

    def step_finished(self) -> None:
        """End a step."""
        self._outer.step_finished()

    def should_stop(self) -> bool:
        """Return whether the run is to stop."""
        return self._outer.should_stop()


def score_scratch(parts: RunParts, path: Path, observer: Observer) -> tuple[Statistics, str]:
    """Return the statistics of the test part, and how they were made.

    Training goes on from the checkpoint at `path`, where there is one. NumericalError where the
    loss is not finite, StoppedError where the observer asks to stop.
    """
    aside = Aside(observer, "scratch")
    own = prepare(_parts(parts), aside)
    feed = Feed(0, own.feeder.raw)
    trainer = Trainer(
        own, lambda phase: feed, aside, lambda each: checkpoint.save(each, path, _NOTHING_FROZEN)
    )
    if path.is_file():
        checkpoint.load(trainer, path, _NOTHING_FROZEN)
    trainer.fit()
    statistics, _ = own.evaluator.statistics(own.model, feed.sources["test"], aside)
    return statistics, _describe(own)


def _parts(parts: RunParts) -> RunParts:
    assert parts.untrained is not None  # it would not have been chosen
    backbone = replace(parts.untrained(), preprocess=parts.backbone.preprocess)
    settings = {"lr": None, "cache": "off", "weights": "none", "freeze": "none", "repeats": 0}
    if parts.config.weight_decay == "auto":
        settings["weight_decay"] = type(parts.config).model_fields["weight_decay"].default
    config = parts.config.model_copy(update=settings)
    return replace(parts, backbone=backbone, strategy=Everything(), config=config)


def _describe(own: Prepared) -> str:
    return (
        f"the same backbone from random weights, all of it trained for {own.parts.config.epochs} "
        f"epochs at learning rate {own.rate:g}"
    )
