"""Sealed tensor files: ordinary safetensors files that carry their own SHA-256.

A safetensors file is the length of its header in eight bytes, the header (JSON), then the bytes
of the tensors. Here the header begins with one metadata entry more: the SHA-256 of the whole file,
computed with sixty-four zeros in its place. So any tool reads the file, and a single changed bit
shows before anything of it is parsed.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ftcore.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

Chunk: TypeAlias = bytes | memoryview

_KEY = "ftcore.sha256"
_BLANK = b"0" * 64
_BEFORE = f'{{"__metadata__":{{"{_KEY}":"'.encode()
_PLACE = slice(8 + len(_BEFORE), 8 + len(_BEFORE) + len(_BLANK))


def seal(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> list[Chunk]:
    """Return the pieces of a sealed file; equal tensors and metadata give equal bytes."""
    from safetensors.torch import save

    data = save(_plain(tensors))
    # safetensors orders tensors by type and name, but metadata by chance: that order is made here.
    head = {"__metadata__": {_KEY: _BLANK.decode(), **dict(sorted(metadata.items()))}}
    text = json.dumps(head | json.loads(data[_header(data)]), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    start = len(text).to_bytes(8, "little") + text
    body = memoryview(data)[_header(data).stop :]
    return [start[: _PLACE.start], _hash(start, body), start[_PLACE.stop :], body]


def unseal(data: bytes, path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata in a sealed file's bytes.

    Raises DataError, naming `path`, where they are not what `seal` returned.
    """
    from safetensors.torch import load

    _verify(data, path)
    metadata = json.loads(data[_header(data)])["__metadata__"]
    del metadata[_KEY]
    return load(data), metadata


def map_sealed(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a sealed file, verified, but not copied into memory.

    The tensors are the file's own pages, read when they are needed; writing to them changes no
    file. Raises DataError, naming `path`, where it is not what `seal` returned; OSError where it
    cannot be read.
    """
    from safetensors import safe_open

    with path.open("rb") as file:
        if not file.read(1):
            raise DataError(f"{path} is damaged: it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
            _verify(pages, path)
    with safe_open(path, framework="pt") as tensors:
        metadata = dict(tensors.metadata())
        del metadata[_KEY]
        return {name: tensors.get_tensor(name) for name in tensors.keys()}, metadata  # noqa: SIM118


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    # safetensors takes contiguous tensors only, and refuses two that share memory.
    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        value = tensor.detach().cpu().contiguous()
        memory = value.untyped_storage().data_ptr()
        plain[name] = value.clone() if memory in seen else value
        seen.add(memory)
    return plain


def _verify(data: bytes | mmap.mmap, path: Path) -> None:
    if data[8 : _PLACE.start] != _BEFORE:
        raise DataError(f"{path} is damaged, or was not written by ftcore: it carries no seal")
    with memoryview(data) as view:
        is_whole = _hash(view[: _PLACE.start], _BLANK, view[_PLACE.stop :]) == data[_PLACE]
    if not is_whole:
        raise DataError(
            f"{path} is damaged: its SHA-256 is not the one it was written with; "
            "restore it from a copy, or run again"
        )


def _header(data: bytes | mmap.mmap) -> slice:
    return slice(8, 8 + int.from_bytes(data[:8], "little"))


def _hash(*chunks: Chunk) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest().encode()
