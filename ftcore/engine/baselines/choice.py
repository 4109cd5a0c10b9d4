"""Which baselines a run gets, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from ftcore.engine.baselines.work import estimate
from ftcore.engine.preparation import Prepared
from ftcore.interfaces import NeighbourTask

AFFORDABLE = 0.25  # of the run's own work


@dataclass(frozen=True)
class Choice:
    """The baselines to make, and for each other one that was thought of why it is left out."""

    names: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)


def choose(prepared: Prepared) -> Choice:
    """Return the baselines of a prepared run; the clock has no say in it."""
    names: list[str] = []
    reasons: dict[str, str] = {}
    for name in prepared.parts.config.baseline_names:
        reason = _REASONS[name](prepared) if name in _REASONS else ""
        if reason:
            reasons[name] = reason
        else:
            names.append(name)
    return Choice(tuple(names), reasons)


def _no_neighbours(prepared: Prepared) -> str:
    task = prepared.parts.task
    if isinstance(task, NeighbourTask):
        return ""
    return f"not made: the task {task.name!r} does not tell an example by its neighbours"


def _no_probe(prepared: Prepared) -> str:
    trained = prepared.freezer.plan.trained
    if any(not name.startswith("head.") for name in trained):
        return ""
    return "not made: the run itself is a head on the pretrained features"


def _no_scratch(prepared: Prepared) -> str:
    parts, plan = prepared.parts, prepared.freezer.plan
    if parts.untrained is None:
        return "not made: nothing makes this backbone with random weights"
    everything = {name for name, _ in prepared.model.named_parameters()}
    if plan.trained == everything and not parts.backbone.weights.is_pretrained:
        return "not made: the run itself trains everything from random weights"
    if parts.config.baselines != "auto":
        return ""
    ratio = estimate(prepared).ratio
    if ratio <= AFFORDABLE:
        return ""
    return f"not made: it would take some {ratio:.2g} times the run's work; --baselines scratch"


_REASONS = {"knn": _no_neighbours, "probe": _no_probe, "scratch": _no_scratch}
