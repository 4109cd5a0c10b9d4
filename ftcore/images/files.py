"""Finds image files in folders, without the hidden litter that systems leave in them."""

from __future__ import annotations

import os
from pathlib import Path

from ftcore.errors import DataError
from ftcore.images.decode import SUFFIXES

_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})


def list_folders(folder: Path) -> list[Path]:
    """Return the folders directly in `folder`, by name; hidden ones are left out.

    Raises DataError where `folder` is missing or cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path))
    except OSError as error:
        raise _unreadable(error) from None


def list_images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images at any depth of `folder`, and the files that are none by their suffix.

    Both are in order of name, without what is hidden. Links are followed, each folder is visited
    once. Raises DataError where `folder`, or one in it, is missing or cannot be read.
    """
    images: list[Path] = []
    others: list[Path] = []
    visited: set[tuple[int, int]] = set()
    for parent, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        status = Path(parent).stat()
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not _is_hidden(Path(name)))
        for path in (Path(parent, name) for name in sorted(files)):
            if not _is_hidden(path):
                (images if path.suffix.lower() in SUFFIXES else others).append(path)
    return images, others


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower() in _LITTER


def _refuse(error: OSError) -> None:
    raise _unreadable(error) from None


def _unreadable(error: OSError) -> DataError:
    return DataError(f"folder {error.filename} cannot be read: {error.strerror}")
