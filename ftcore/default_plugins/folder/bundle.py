"""Makes a dataset of a folder: parts, and classes matched across them by name."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from ftcore import DataBundle, DataError, FileSplit, ImageLikeness

from .classes import Part, natural_order, read_part
from .layout import find_parts

_SHOWN = 5


def read_bundle(root: Path) -> DataBundle:
    """Read what `ftcore.default_plugins.folder.load_folder` says; DataError names what is wrong."""
    folders, notes = find_parts(root)
    parts = {name: read_part(folder) for name, folder in folders.items()}
    classes = _classes(parts["train"])
    splits = {}
    for name, part in parts.items():
        notes += part.notes + _match(name, part, classes)
        if part.images:
            splits[name] = FileSplit.from_classes(root, classes, part.images)
    return DataBundle(
        name=root.resolve().name or "folder",
        task="classification",
        splits=splits,
        classes=classes,
        input_shape=splits["train"].input_shape,
        origin=str(root),
        notes=tuple(notes + _alike(classes)),
        likeness=ImageLikeness(),
    )


def _classes(train: Part) -> tuple[str, ...]:
    if not train.images:
        found = f"{len(train.strays)} images outside them, {len(train.others)} other files"
        raise DataError(
            f"{train.folder} has no class folder with images in it ({found}); "
            "put the images of each class into a folder that bears its name"
        )
    if train.empty:
        raise DataError(
            f"the class folder {train.folder / train.empty[0]} holds no images; "
            "add some, or delete the folder"
        )
    return tuple(sorted(train.images, key=natural_order))


def _match(name: str, part: Part, classes: tuple[str, ...]) -> list[str]:
    unknown = sorted(part.images.keys() - set(classes), key=natural_order)
    if unknown:
        similar = [each for each in classes if each.casefold() == unknown[0].casefold()]
        remedy = f"rename it to {similar[0]!r}" if similar else "add it there, or take it out here"
        raise DataError(
            f"{part.folder} has the class {unknown[0]!r}, which the train part lacks; {remedy}"
        )
    if not part.images:
        return [f"left out of the dataset: {part.folder}, which holds no images of any class"]
    missing = [each for each in classes if each not in part.images]
    if not missing:
        return []
    shown = ", ".join(map(repr, missing[:_SHOWN]))
    more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return [f"classes without images in the {name} part: {shown}{more}"]


def _alike(classes: tuple[str, ...]) -> list[str]:
    groups = defaultdict(list)
    for name in classes:
        groups[name.casefold()].append(repr(name))
    return [
        f"the classes {' and '.join(names)} differ in upper and lower case alone; are they one?"
        for names in groups.values()
        if len(names) > 1
    ]
