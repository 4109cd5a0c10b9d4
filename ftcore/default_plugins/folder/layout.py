"""Tells a folder of parts (train, val, test) from a folder of classes."""

from __future__ import annotations

from pathlib import Path

from ftcore import DataError, list_folders

PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def find_parts(root: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the folder of each part, train first, and notes on what was left out.

    A folder of classes is one part, "train". Raises DataError where `root` is missing, or where
    classes cannot be told from parts.
    """
    if not root.is_dir():
        problem = "is a file, not a folder" if root.exists() else "does not exist"
        raise DataError(f"the dataset folder {root} {problem}; name one as in folder:path=PATH")
    folders = list_folders(root)
    named = [folder for folder in folders if folder.name.lower() in PART_NAMES]
    parts = [folder for folder in named if list_folders(folder)]
    if not named or (not parts and len(named) < len(folders)):
        return {"train": root}, _check_classes(root, folders)
    return _by_name(root, parts), _notes(root, folders, parts)


def _by_name(root: Path, parts: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in parts:
        part = PART_NAMES[folder.name.lower()]
        if part in found:
            raise DataError(
                f"{root} has two folders for the {part} part, {found[part].name!r} and "
                f"{folder.name!r}; rename or move one of them"
            )
        found[part] = folder
    if "train" not in found:
        others = ", ".join(folder.name for folder in parts) or "parts"
        raise DataError(
            f"{root} holds {others}, but no train folder with a folder for each class in it; "
            "to use one folder of class folders alone, give its own path"
        )
    return {part: found[part] for part in ("train", "val", "test") if part in found}


def _notes(root: Path, folders: list[Path], parts: list[Path]) -> list[str]:
    names = [folder.name for folder in folders if folder not in parts]
    if not names:
        return []
    return [f"left out of {root}: folders that hold no class folders ({', '.join(names)})"]


def _check_classes(root: Path, folders: list[Path]) -> list[str]:
    for folder in folders:
        inner = [each.name for each in list_folders(folder) if each.name.lower() in PART_NAMES]
        if inner:
            raise DataError(
                f"{folder} holds {', '.join(inner)}, so it is a dataset rather than a class of "
                f"{root}; did you mean path={folder}?"
            )
    names = [folder.name for folder in folders if folder.name.lower() in PART_NAMES]
    return [f"{root}: {name!r} is taken for a class, not for a part" for name in names]
