"""The dataset `folder`: your own images, sorted into folders by class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ftcore import DataBundle, hookimpl


@hookimpl
def register_datasets(register: Callable[[str, Callable[..., DataBundle]], None]) -> None:
    """Register `folder`."""
    register("folder", load_folder)


def load_folder(path: Path) -> DataBundle:
    """Your own images: one folder a class, in train, val and test folders or all in one place.

    Parts may also be called training, valid, validation or testing. Classes are matched across
    parts by name, and are in natural order ("2" before "10"); images may lie deeper in the folder
    of their class. Hidden files are left out. An example's id is its path below `path`, and no
    image is decoded before it is asked for.
    """
    from .bundle import read_bundle

    return read_bundle(path)
