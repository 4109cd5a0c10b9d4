"""Where the network is cut: what lies below is a fixed function in a phase, and computed once.

Stages that are frozen throughout give the cut of all phases; a phase in which more of them are
frozen, as in gradual unfreezing and in probing before fine-tuning, may have a higher cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from ftcore.config import RunConfig
from ftcore.engine.device import free_memory
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.freezing import frozen_prefix
from ftcore.errors import ConfigError
from ftcore.interfaces import FreezePlan
from ftcore.record import format_bytes

Keep = Literal["off", "memory", "disk"]

MEMORY_FRACTION = 0.25  # of the memory that is free
DISK_FRACTION = 0.5  # of the disk that is free
READ_SPEED = 200e6  # bytes a second that a slow disk reads
WORTH_A_FILE = 1.0  # seconds of computing; what is quicker is not worth one


@dataclass(frozen=True)
class Cuts:
    """How many of the lowest stages are computed once: in all phases, and in each of them.

    0 where none is, and `reason` says why.
    """

    throughout: int
    phases: tuple[int, ...]
    reason: str = ""

    @property
    def counts(self) -> tuple[int, ...]:
        """The different cuts, the lowest first; empty where nothing is kept."""
        return tuple(sorted({self.throughout, *self.phases} - {0}))


NO_CUTS = "no stage is frozen throughout, nor in a phase of two epochs or more"
RANDOM = (
    "augmentation is random, so the frozen stages see new inputs every epoch; --views 5 augments "
    "each example five times and keeps those"
)


def find_cuts(
    model: nn.Sequential, plan: FreezePlan, config: RunConfig, *, is_random: bool
) -> Cuts:
    """Return where the plan lets the model be cut.

    A phase's own cut serves where it is passed twice at least; `is_random` says whether training
    inputs are augmented at random, which `config.views` limits.
    """
    none = (0,) * len(plan.phases)
    if config.cache == "off":
        return Cuts(0, none, "switched off")
    if is_random and not config.views:
        return Cuts(0, none, RANDOM)
    throughout = frozen_prefix(plan.trained, model)
    starts = [phase.first_epoch for phase in plan.phases[1:]]
    lengths = [
        end - phase.first_epoch
        for phase, end in zip(plan.phases, [*starts, config.epochs], strict=True)
    ]
    phases = tuple(
        frozen_prefix(phase.rates.keys(), model) if length > 1 else throughout
        for phase, length in zip(plan.phases, lengths, strict=True)
    )
    return Cuts(throughout, phases, "" if throughout or any(phases) else NO_CUTS)


@dataclass(frozen=True)
class Cost:
    """What keeping features takes, and what computing them does."""

    stages: int
    bytes_per_example: int
    seconds_per_example: float  # of computing
    examples: int  # views counted

    @property
    def bytes(self) -> int:
        """The size of the features."""
        return self.bytes_per_example * self.examples

    @property
    def seconds(self) -> float:
        """The time to compute the features once."""
        return self.seconds_per_example * self.examples


def choose_keep(asked: str, costs: Sequence[Cost], store: FeatureStore) -> tuple[Keep, str]:
    """Return where to keep the features of all cuts, and why.

    In files, where reading them back, at the speed of a slow disk, is quicker than computing them,
    which takes a second at least, and they fit; else in memory, where a quarter of what is free
    takes them; else nowhere. ConfigError where a file is demanded that the limit forbids.
    """
    need = sum(cost.bytes for cost in costs)
    if asked == "memory":
        return "memory", "asked for"
    if asked == "disk":
        if need > store.limit:
            raise ConfigError(
                f"--cache disk needs {format_bytes(need)}, more than the limit of "
                f"{format_bytes(store.limit)}; raise FTCORE_CACHE_LIMIT, or use --cache auto"
            )
        return "disk", "asked for"
    seconds = sum(cost.seconds for cost in costs)
    reading = need / READ_SPEED
    room = min(store.limit, int(DISK_FRACTION * store.free()))
    if need <= room and seconds >= max(reading, WORTH_A_FILE):
        return "disk", (
            f"computing takes about {seconds:.0f} s, reading {format_bytes(need)} back at most "
            f"{reading:.1f} s"
        )
    memory = int(MEMORY_FRACTION * free_memory())
    if need <= memory:
        return "memory", f"{format_bytes(need)} are not worth a file, and fit into memory"
    if need <= room:
        return "off", f"the features' {format_bytes(need)} take longer to read than to compute"
    return "off", (
        f"the features need {format_bytes(need)}, more than the {format_bytes(memory)} of memory "
        f"and the {format_bytes(room)} of disk allowed"
    )
