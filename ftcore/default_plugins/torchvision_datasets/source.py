"""Finds a dataset's files below a root, fetches them where asked to, and checks them."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ftcore import DataBundle, DataError, PluginError, is_offline

if TYPE_CHECKING:
    from ftcore import ArraySplit, FileSplit

ImageSplit: TypeAlias = "ArraySplit | FileSplit"

_SHOWN = 3
_STALL = 20.0  # seconds without a byte before a download gives up


@dataclass(frozen=True)
class Source:
    """What a dataset is called, and where its files lie."""

    name: str  # as registered
    folders: tuple[str, ...]  # where they may lie below the root, "" being the root itself
    needed: tuple[str, ...]  # names in one of these folders; a "NAME.gz" does for NAME
    origin: str
    licence: str = "not stated"
    downloader: str = ""  # the class in torchvision.datasets; empty where there is none
    downloads: tuple[Mapping[str, Any], ...] = ({},)  # its arguments, call by call


def find(source: Source, root: Path, download: bool = False) -> Path:
    """Return the folder that holds all that is needed, downloaded first where allowed and missing.

    Raises DataError that says where was looked, what is missing, and how to get it.
    """
    folder = _complete(source, root)
    if folder is None and download:
        _download(source, root)
        folder = _complete(source, root)
    if folder is not None:
        return folder
    partial = [f for f in _folders(source, root) if len(_missing(source, f)) < len(source.needed)]
    looked = partial[:1] or _folders(source, root)
    names = _missing(source, looked[0])
    missing = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    remedy = f"name the folder that holds it as in {source.name}:root=PATH"
    if source.downloader:
        remedy += f", or let it be downloaded with {source.name}:root={root},download=true"
    places = " or ".join(map(str, looked))
    raise DataError(f"{source.name} is not in {places}: {missing} missing; {remedy}")


def verify(path: Path, md5: str) -> bool:
    """Return whether the file has this MD5, by which a dataset's files are published."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest() == md5


def check_published(source: Source, folder: Path, md5s: Mapping[str, str], strict: bool) -> str:
    """Compare the files that are there with the published ones.

    Returns a note on those that differ or are missing, which is empty where all are the same.
    Raises DataError, naming the first, where that is `strict`.
    """
    missing = [name for name in md5s if not (folder / name).is_file()]
    changed = [n for n in md5s if n not in missing and not verify(folder / n, md5s[n])]
    if strict and (missing or changed):
        name = (missing or changed)[0]
        problem = "is missing" if missing else "is not the published file (its MD5 differs)"
        raise DataError(
            f"{source.name}: {folder / name} {problem}; fetch it again, or accept what is there "
            f"with {source.name}:root=PATH,checksum=false"
        )
    parts = [
        f"{', '.join(names)} {verb}"
        for names, verb in ((changed, "changed"), (missing, "missing"))
        if names
    ]
    return f"{source.name}: not the published files: {'; '.join(parts)}" if parts else ""


def make_bundle(
    source: Source, splits: Mapping[str, ImageSplit], classes: tuple[str, ...], note: str = ""
) -> DataBundle:
    """Make the dataset of its splits."""
    from ftcore import ImageLikeness

    return DataBundle(
        name=source.name,
        task="classification",
        splits=splits,
        classes=classes,
        input_shape=next(iter(splits.values())).input_shape,
        origin=source.origin,
        licence=source.licence,
        notes=(note,) if note else (),
        likeness=ImageLikeness(),
    )


def torchvision_class(name: str) -> Any:
    """Return a class of torchvision.datasets; PluginError where torchvision cannot be imported."""
    try:
        from torchvision import datasets
    except (ImportError, RuntimeError) as error:
        raise PluginError(
            f"torchvision cannot be imported beside this torch ({error}); install the two from "
            "the same place, as pytorch.org says"
        ) from error
    return getattr(datasets, name)


def _folders(source: Source, root: Path) -> list[Path]:
    return [root / folder for folder in source.folders]


def _missing(source: Source, folder: Path) -> list[str]:
    return [
        name
        for name in source.needed
        if not (folder / name).exists() and not (folder / f"{name}.gz").exists()
    ]


def _complete(source: Source, root: Path) -> Path | None:
    return next((f for f in _folders(source, root) if not _missing(source, f)), None)


def _download(source: Source, root: Path) -> None:
    if not source.downloader:
        return
    if is_offline():
        raise DataError(
            f"{source.name} is not downloaded, since FTCORE_OFFLINE is set; "
            f"unset it, or put the files into {root}"
        )
    downloader = torchvision_class(source.downloader)
    try:
        with _stalls_end():
            for arguments in source.downloads:
                downloader(str(root), download=True, **arguments)
    except Exception as error:  # the border to torchvision, which lets anything through
        reason = str(error).strip() or type(error).__name__
        raise DataError(
            f"{source.name} cannot be downloaded into {root}: {reason.splitlines()[-1]}; "
            f"try again, or put its files there by hand ({source.origin})"
        ) from error


@contextmanager
def _stalls_end() -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
