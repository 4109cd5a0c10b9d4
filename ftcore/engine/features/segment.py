"""A segment: the features of some examples, each under the name of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ftcore.engine.sealing import map_sealed
from ftcore.engine.storage import write_tensors
from ftcore.errors import DataError

BYTES = 32 * 2**20  # of a segment: what is lost to a kill, and what is held before it is written


@dataclass(frozen=True)
class Segment:
    """Row i of `features` (N, ...) belongs to `names[i]`, 64 hexadecimal digits.

    `seconds` is the wall time that loading and computing took, `how` the way of computing, and
    `difference` how far features are from those of the plain fp32 prefix, as a fraction of the
    largest.
    """

    names: Sequence[str]
    features: Tensor
    seconds: float
    how: str = "plain"
    difference: float = 0.0

    @property
    def file_name(self) -> str:
        """The name of its file: the same for the same examples."""
        return hashlib.sha256("".join(self.names).encode()).hexdigest()[:24] + ".safetensors"

    def write(self, path: Path, key: str) -> None:
        """Write a sealed file that only `key` opens; FtcoreError where it cannot be written."""
        names = bytearray(bytes.fromhex("".join(self.names)))
        measured = {"seconds": self.seconds, "how": self.how, "difference": self.difference}
        metadata = {"key": key, "measured": json.dumps(measured)}
        tensors = {
            "features": self.features,
            "names": torch.frombuffer(names, dtype=torch.uint8).view(-1, 32),
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def open(cls, path: Path, key: str) -> Segment:
        """Return a file's segment, verified and mapped; DataError where it is damaged."""
        tensors, metadata = map_sealed(path)
        if metadata.get("key") != key or tensors.keys() != {"features", "names"}:
            raise DataError(f"{path} holds other features than those asked for")
        digits = tensors["names"].numpy().tobytes().hex()
        names = [digits[start : start + 64] for start in range(0, len(digits), 64)]
        return cls(names, tensors["features"], **json.loads(metadata["measured"]))


@dataclass(frozen=True)
class Rows:
    """The rows of some segments in a line, as if they were one tensor (N, ...)."""

    parts: Sequence[Tensor]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def row_bytes(self) -> int:
        """The size of a row in bytes."""
        return self.parts[0][0].nbytes

    def take(self, indices: Tensor) -> Tensor:
        """Return the rows at `indices` (M,), copied."""
        if len(self.parts) == 1:
            return self.parts[0][indices]
        first = self.parts[0]
        taken = first.new_empty((len(indices), *first.shape[1:]))
        start = 0
        for part in self.parts:
            inside = ((indices >= start) & (indices < start + len(part))).nonzero().flatten()
            taken[inside] = part[indices[inside] - start]
            start += len(part)
        return taken
