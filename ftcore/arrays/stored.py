"""An array in a file, of which a few rows at a time are in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import torch
from torch import Tensor

from ftcore.errors import DataError


@dataclass(frozen=True)
class StoredArray:
    """Numbers in a file from the byte `offset` on, row after row, little-endian."""

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def end(self) -> int:
        """The byte after its last one."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def read(self) -> Tensor:
        """Return all of it."""
        with FileIO(self.path) as file:
            file.seek(self.offset)
            return self._fill(file, torch.empty(self.shape, dtype=self.dtype))

    def blocks(self, rows: int) -> Iterator[Tensor]:
        """Yield blocks of `rows` rows in order, the last one perhaps shorter.

        A block is there until the next is asked for: two buffers take turns, and while one is in
        use a thread reads ahead into the other. The file is not mapped: its pages would count as
        memory of the process, which is not to grow with the file.
        """
        sizes = [min(rows, len(self) - start) for start in range(0, len(self), rows)]
        shape = (min(rows, len(self)), *self.shape[1:])
        buffers = [torch.empty(shape, dtype=self.dtype) for _ in range(2)]
        with FileIO(self.path) as file, ThreadPoolExecutor(1) as reader:
            file.seek(self.offset)
            ahead = reader.submit(self._fill, file, buffers[0])
            for index in range(1, len(sizes) + 1):
                block = ahead.result()
                if index < len(sizes):
                    buffer = buffers[index % 2][: sizes[index]]
                    ahead = reader.submit(self._fill, file, buffer)
                yield block

    def _fill(self, file: FileIO, buffer: Tensor) -> Tensor:
        rest = buffer.flatten().view(torch.uint8).numpy().data
        while rest:
            count = file.readinto(rest)
            if not count:
                row = (file.tell() - self.offset) // max(1, self.dtype.itemsize * self._row)
                raise DataError(
                    f"{self.path} ends at byte {file.tell():,}, in row {row:,}, though it was "
                    "longer when it was opened: nothing may write it while it is read"
                )
            rest = rest[count:]
        return buffer

    @property
    def _row(self) -> int:
        return math.prod(self.shape[1:])
