"""Making the baselines of a run: those on pretrained features before training, scratch after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from ftcore.engine.baselines.choice import Choice, choose
from ftcore.engine.baselines.features import pretrained_features
from ftcore.engine.baselines.neighbours import score_neighbours
from ftcore.engine.baselines.probe import score_probe
from ftcore.engine.baselines.scratch import score_scratch
from ftcore.engine.directory import RunDirectory
from ftcore.engine.features.feeds import Feed
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import Prepared
from ftcore.errors import ConfigError, NumericalError
from ftcore.interfaces import NeighbourTask, Statistics

Score: TypeAlias = Callable[[], tuple[Statistics, str]]


@dataclass
class Baselines:
    """What each baseline scored on the test part; how it was made, or why it was not."""

    statistics: dict[str, Statistics] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    choice: Choice = field(default_factory=Choice)

    def add(self, name: str, score: Score, prepared: Prepared) -> None:
        """Score one if it was chosen; where it fails, the run goes on without it."""
        if name not in self.choice.names:
            return
        try:
            with prepared.timed("baselines"):
                self.statistics[name], self.notes[name] = score()
        except (ConfigError, NumericalError) as error:
            self.notes[name] = f"not made: {error}"
            prepared.feeder.observer.step_finished()
            prepared.feeder.observer.note(f"note: the baseline {name} is {self.notes[name]}")


def make_before(prepared: Prepared, feed: Feed, observer: Observer) -> Baselines:
    """Choose the baselines, and make those that need the backbone as it was pretrained.

    StoppedError where the observer asks to stop: a run that goes on makes them again.
    """
    choice = choose(prepared)
    made = Baselines(notes=dict(choice.reasons), choice=choice)
    if prepared.parts.config.baselines != "auto":
        for name, reason in choice.reasons.items():
            observer.note(f"note: the baseline {name} is {reason}")
    parts, features = prepared.parts, list[Feed]()

    def pretrained() -> Feed:
        if not features:
            features.append(pretrained_features(prepared, feed, observer))
        return features[0]

    def neighbours() -> tuple[Statistics, str]:
        assert isinstance(parts.task, NeighbourTask)  # it would not have been chosen
        device = prepared.machine.device
        return score_neighbours(parts.task, parts, pretrained(), device, observer)

    made.add("knn", neighbours, prepared)
    made.add("probe", lambda: score_probe(prepared, pretrained(), observer), prepared)
    return made


def make_after(
    made: Baselines, prepared: Prepared, directory: RunDirectory, observer: Observer
) -> None:
    """Make the baseline that is a training of its own, once the run's is done."""
    parts, path = prepared.parts, directory.scratch
    made.add("scratch", lambda: score_scratch(parts, path, observer), prepared)
