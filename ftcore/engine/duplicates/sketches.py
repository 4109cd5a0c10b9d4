"""Sketches of all examples: made once, and kept as features are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ftcore.engine.batches import RawSource
from ftcore.engine.device import Machine
from ftcore.engine.features.computing import Completion
from ftcore.engine.features.shelf import Shelf
from ftcore.engine.features.store import FORMAT
from ftcore.engine.features.wanted import Want
from ftcore.engine.observer import Observer
from ftcore.engine.prefix import FastPrefix
from ftcore.interfaces import Inputs, Likeness

_BATCH = 64
_CPU = Machine(torch.device("cpu"), "fp32", torch.contiguous_format)


@dataclass(frozen=True)
class SketchSource:
    """Reads raw examples and sketches them."""

    raw: RawSource
    likeness: Likeness

    @property
    def targets(self) -> Tensor:
        """The targets of the split."""
        return self.raw.targets

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the split."""
        return self.raw.ids

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return the sketches of the examples."""
        return self.likeness.sketch(self.raw.split.inputs(indices))


def about_sketches(likeness: Likeness) -> dict[str, Any]:
    """Return all that decides sketches, as JSON values."""
    return {
        "format": FORMAT,
        "sketches": dict(likeness.describe()),
        "machine": _CPU.arithmetic(),
    }


def sketch_all(
    likeness: Likeness,
    raw: Mapping[str, RawSource],
    shelf: Shelf,
    observer: Observer,
    workers: int = 0,
) -> Tensor:
    """Return the sketches (N, ...) of all parts in a line; those that the shelf lacks are made."""
    wants = {
        part: Want(SketchSource(source, likeness), [_names(source.digests)])
        for part, source in raw.items()
    }
    completion = Completion(
        shelf,
        plain=_same,
        accelerate=lambda: FastPrefix(_same, _CPU, "sketch", _BATCH),
        observer=observer,
        workers=workers,
        step="looking for copies",
    )
    kept = completion.complete(wants)
    return torch.cat([source.features.take(source.rows[0]) for source in kept.values()])


def _names(digests: Sequence[str]) -> list[str]:
    # A digest is any text; a shelf wants names of one form.
    return [hashlib.sha256(digest.encode()).hexdigest() for digest in digests]


def _same(inputs: Inputs) -> Tensor:
    sketches: Tensor = inputs
    return sketches
