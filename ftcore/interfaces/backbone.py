"""What a backbone is: its stages, its weights, and what makes its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

Inputs: TypeAlias = Any
Raw: TypeAlias = Any

SEVERITIES = (1, 2, 3, 4, 5)  # of every corruption


@runtime_checkable
class Preprocess(Protocol):
    """Turns raw examples, as a dataset hands them out, into one batch for a backbone."""

    @property
    def is_random(self) -> bool:
        """Whether `seeds` change the result; such outputs are never cached."""

    def __call__(self, raw: Sequence[Raw], seeds: Sequence[int] = ()) -> Inputs:
        """Make one batch; `seeds` holds one integer an example when `is_random`."""

    def augmented(self, spec: str) -> Preprocess:
        """Return a copy that augments its inputs as `spec` says; UsageError for unknown names."""

    def read(self, path: Path) -> Iterator[tuple[str, Raw]]:
        """Yield (id, raw example) from a file or folder; DataError names what cannot be read."""

    def describe(self) -> Mapping[str, Any]:
        """Return everything that decides the output, as JSON values, for records and cache keys."""


@runtime_checkable
class Corruptible(Preprocess, Protocol):
    """A preprocessing that can damage its inputs, to see how much of it a model bears."""

    @property
    def corruptions(self) -> Sequence[str]:
        """The names of the ways in which it can; each has the severities 1 to 5."""

    def corrupted(self, name: str, severity: int) -> Preprocess:
        """Return a copy that damages its inputs so; UsageError for what does not exist.

        What becomes of an example depends on the example and its seed alone.
        """


@dataclass(frozen=True)
class Weights:
    """Where a backbone's parameters come from."""

    name: str  # "imagenet", "random", or the file's name
    origin: str = ""  # URL or path; empty for random
    sha256: str = ""  # of the file; empty for random
    training_data: str = "none"
    licence: str = ""
    note: str = ""  # one line the user must see, such as what replaced the weights asked for

    @property
    def is_pretrained(self) -> bool:
        """Whether the parameters were learned from data."""
        return self.name != "random"


@dataclass(frozen=True)
class Stage:
    """One step of a backbone's forward pass; its module takes what the stage below returns."""

    name: str
    module: nn.Module


@dataclass(frozen=True)
class Backbone:
    """A pretrained model without its head: stages, bottom first, that end in features (N, D).

    Composing `head_stages`, then `head` where there is one, equals the original model's forward
    in eval mode bit for bit; `ftcore.testing.check_backbone` asserts it.
    No parameter belongs to two stages, and no stage is named "head".
    A model that cannot be cut is one stage.

    New heads always take the features, which the last stage returns. So does `head`, except where
    a model classifies before it pools, as SqueezeNet does: `head_input` then names the stage
    whose output `head` takes, and the stages above it serve new heads only.
    """

    name: str
    stages: tuple[Stage, ...]
    feature_dim: int
    preprocess: Preprocess
    weights: Weights
    head: nn.Module | None = None  # the head the weights came with: features (N, D) to (N, C)
    classes: tuple[str, ...] = ()  # what that head's outputs mean, where known
    head_input: str = ""  # the stage whose output `head` takes; empty for the last one

    @property
    def head_stages(self) -> tuple[Stage, ...]:
        """The stages that lead up to `head`: all of them, or those up to `head_input`."""
        names = [stage.name for stage in self.stages]
        return self.stages[: names.index(self.head_input) + 1] if self.head_input else self.stages

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """Return every parameter under the name "<stage>.<parameter>", bottom first."""
        return {
            f"{stage.name}.{name}": parameter
            for stage in self.stages
            for name, parameter in stage.module.named_parameters()
        }
