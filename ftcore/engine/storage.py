"""The run directory on disk: a write is whole or absent, a read is verified.

A file is written beside its final place, synced, and renamed over it. Tensors go into sealed files,
which show a changed bit themselves; everything else is held to account by the manifest.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcore.engine.sealing import Chunk, seal, unseal
from ftcore.errors import ConfigError, DataError, FtcoreError

if TYPE_CHECKING:
    from torch import Tensor

MANIFEST = "MANIFEST.sha256"

_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
_STATE = "state"


def make_directory(parent: Path, slug: str) -> Path:
    """Make and return the directory "<slug>-<n>" in `parent`, with the lowest free n from 1.

    No other process gets the same directory. Characters of `slug` that do not belong in a file
    name become "-". ConfigError where `parent` cannot hold a directory.
    """
    stem = re.sub(r"[^A-Za-z0-9_.+=-]+", "-", slug).strip("-.")[:100] or "run"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = _make_next(parent, stem)
        _sync(parent)
    except OSError as error:
        raise ConfigError(
            f"cannot make a run directory in {parent}: {error.strerror}; "
            "name a folder that can be written to"
        ) from error
    return folder


def write_bytes(path: Path, data: bytes) -> None:
    """Make `data` the content of `path`, wholly or not at all; FtcoreError where it cannot be."""
    _write(path, [data])


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as `write_bytes` does."""
    _write(path, [text.encode()])


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document as `write_bytes` does; ValueError for NaN and infinities."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write a sealed safetensors file as `write_bytes` does.

    Equal tensors and metadata give equal bytes. Strides, devices and shared memory are not kept.
    """
    _write(path, seal(tensors, metadata or {}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a sealed file; DataError where it is damaged.

    Weights from elsewhere carry no seal and are refused: `ftcore.read_state_dict` reads those.
    """
    return unseal(_read(path), path)


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and state (JSON values; floats may be NaN or infinite) as one sealed file.

    A process that is killed at any moment leaves the previous checkpoint or this one, complete.
    """
    write_tensors(path, tensors, {_STATE: json.dumps(state)})


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return what `save_checkpoint` wrote; DataError where a single bit of it has changed."""
    tensors, metadata = read_tensors(path)
    if _STATE not in metadata:
        raise DataError(f"{path} holds tensors but no training state: it is not a checkpoint")
    return tensors, json.loads(metadata[_STATE])


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def write_manifest(folder: Path) -> None:
    """List every file below `folder` with its hash in MANIFEST.sha256; to be called last.

    `sha256sum --check MANIFEST.sha256`, typed in the folder, verifies it as well.
    """
    remove_leftovers(folder)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    lines = [
        f"{sha256_file(path)}  {name}\n"
        for name, path in sorted(files.items())
        if path.is_file() and name != MANIFEST
    ]
    write_text(folder / MANIFEST, "".join(lines))


def verify_manifest(folder: Path, names: Collection[str] | None = None) -> None:
    """Raise DataError unless the files are those that the manifest of `folder` lists.

    `names` are the files that matter, relative to `folder`; by default all that are listed.
    The error names the first file that is missing, changed or not listed.
    """
    listed = _read_manifest(folder / MANIFEST)
    for name in listed if names is None else names:
        path = folder / name
        if name not in listed:
            raise DataError(f"{path} is not listed in {MANIFEST}: it does not belong to this run")
        if not path.is_file():
            raise DataError(f"{path} is missing, though {MANIFEST} lists it")
        if sha256_file(path) != listed[name]:
            raise DataError(
                f"{path} has changed since the run was written: its SHA-256 is not the one in "
                f"{MANIFEST}; restore it from a copy, or run again"
            )


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a killed process left below `folder`."""
    for path in folder.rglob(".*.tmp"):
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _make_next(parent: Path, stem: str) -> Path:
    number = 1
    while True:
        folder = parent / f"{stem}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def _write(path: Path, chunks: Iterable[Chunk]) -> None:
    # The name differs by writer, so that two of them cannot write into one file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise FtcoreError(
            f"cannot write {path}: {error.strerror}. No half-written file was left; "
            "mend this and try again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sync(folder: Path) -> None:
    # A renamed file survives a power cut only once the folder that names it is on the disk.
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # as some network file systems say
            raise
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise DataError(
            f"{path} is missing: {path.parent} is no run directory, or its run did not end"
        )
    listed = {}
    text = _read(path).decode(errors="replace").removesuffix("\n")
    for number, line in enumerate(text.split("\n"), start=1):
        match = _MANIFEST_LINE.fullmatch(line)
        if not match:
            raise DataError(f"{path} is damaged: line {number} is not a SHA-256 and a file name")
        listed[match[2]] = match[1]
    return listed
