"""What a dataset is: its splits, and how its examples are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ftcore.interfaces.backbone import Raw

if TYPE_CHECKING:
    from torch import Tensor


@runtime_checkable
class Split(Protocol):
    """One part of a dataset, such as its training part."""

    @property
    def ids(self) -> Sequence[str]:
        """A stable, unique id for each example, the same on every machine and in every run."""

    @property
    def targets(self) -> Tensor:
        """What is to be predicted, (N, ...); int64 class indices (N,) for classification."""

    def __len__(self) -> int: ...

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return the raw examples at `indices`; DataError names one that cannot be read.

        Images are uint8 tensors (channels, height, width), with 1 or 3 channels; examples of one
        size may come stacked as one tensor (N, channels, height, width).
        """

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return for each example a hash of all that decides what `inputs` returns for it.

        Features are kept under it, so a changed example must have another one; the same example
        should keep its own, wherever it stands. `ftcore.digest_of` makes one of a raw example;
        where reading is slow, something quicker will do, such as the hash of a file's bytes.
        DataError names an example that cannot be read.
        """


@runtime_checkable
class Likeness(Protocol):
    """Tells near copies of an example from other examples, for one kind of data, such as images.

    Each example is reduced to a small sketch. Sketches are compared at a glance, all with all, and
    what is alike at a glance is looked at a second time. What is the same byte by byte needs none
    of this: `digest_of` tells it.
    """

    @property
    def threshold(self) -> float:
        """The likeness that two versions of one example have at least."""

    @property
    def certain(self) -> float:
        """The likeness that two different examples never reach, however alike a dataset's are."""

    @property
    def ratio(self) -> float:
        """The most that a copy's distance, 1 less its likeness, is of that of the tenth neighbour.

        So a pair must stand out where all examples look alike; one that is certain need not.
        """

    def sketch(self, raw: Sequence[Raw]) -> Tensor:
        """Return a small sketch of each raw example (N, ...), which decides all the rest."""

    def glance(self, sketches: Tensor) -> Tensor:
        """Return float32 vectors (V, N, D) of length 1, whose products say what is alike.

        `V` is 1 for the examples as they are, and one more for each change that a copy may have
        gone through unnoticed, such as mirroring. A vector of zeros is like nothing.
        """

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        """Return the likeness (N,) of as many pairs at the second look; 1 is the same."""

    def describe(self) -> Mapping[str, Any]:
        """Return everything that decides the sketches, as JSON values, for cache keys."""


@dataclass(frozen=True)
class DataBundle:
    """A dataset, ready to use: its splits, its classes, and the task it asks for.

    `splits` holds "train", and "val" and "test" where the dataset defines them; ftcore
    cuts the missing ones from the training part.
    """

    name: str
    task: str  # the registered name of the task it asks for
    splits: Mapping[str, Split]
    classes: tuple[str, ...] = ()
    input_shape: tuple[int, ...] = ()  # of a typical raw example: (height, width) for images
    origin: str = ""  # URL, path or citation
    licence: str = ""
    notes: tuple[str, ...] = ()  # lines the user must see
    likeness: Likeness | None = None  # what finds near copies among the examples, where known
