"""Reads one part of a folder dataset: which images there are of which class."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from ftcore import list_folders, list_images


@dataclass
class Part:
    """What lies in one folder of class folders."""

    folder: Path
    images: dict[str, list[Path]] = field(default_factory=dict)  # by class, none of them empty
    empty: list[str] = field(default_factory=list)  # class folders without an image
    strays: list[Path] = field(default_factory=list)  # images outside the class folders
    others: list[Path] = field(default_factory=list)  # files that are no images

    @property
    def notes(self) -> list[str]:
        """A line on each kind of file that is left out."""
        kinds = (
            ("files that are no images", self.others),
            ("images outside the class folders", self.strays),
        )
        return [
            f"left out of {self.folder}: {kind} ({len(paths)}, "
            f"such as {paths[0].relative_to(self.folder)})"
            for kind, paths in kinds
            if paths
        ]


def read_part(folder: Path) -> Part:
    """List the images of a folder of class folders, by class."""
    images, others = list_images(folder)
    part = Part(folder, others=others)
    for path in images:
        first, *below = path.relative_to(folder).parts
        if below:
            part.images.setdefault(_class_name(first), []).append(path)
        else:
            part.strays.append(path)
    names = [_class_name(each.name) for each in list_folders(folder)]
    part.empty = [name for name in names if name not in part.images]
    return part


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Return a sort key under which numbers in names count as numbers: "2" before "10"."""
    pieces = re.split(r"([0-9]+)", name)
    return [int(piece) if odd % 2 else piece for odd, piece in enumerate(pieces)], name


def _class_name(folder: str) -> str:
    # Systems store accents differently (macOS decomposed), and names that are not UTF-8 escaped.
    text = folder.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)
