"""The datasets whose images are files, listed by text files or sorted into class folders."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ftcore import DataBundle, DataError, FileSplit, UsageError, list_folders, list_images

from .source import Source, find, make_bundle, torchvision_class

ByClass = Mapping[str, Sequence[Path]]

_FLOWERS102 = Source(
    "flowers102",
    ("flowers-102",),
    ("jpg", "imagelabels.mat", "setid.mat"),
    "Nilsback & Zisserman 2008, https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    downloader="Flowers102",
)
_FOOD101 = Source(
    "food101",
    ("food-101",),
    ("images", "meta/train.json", "meta/test.json"),
    "Bossard, Guillaumin & Van Gool 2014, https://doi.org/10.1007/978-3-319-10599-4_29",
    downloader="Food101",
)
_PETS = Source(
    "oxford-pets",
    ("oxford-iiit-pet",),
    ("images", "annotations/trainval.txt", "annotations/test.txt"),
    "Parkhi et al. 2012, https://www.robots.ox.ac.uk/~vgg/data/pets/",
    "CC BY-SA 4.0",
    "OxfordIIITPet",
)
_EUROSAT = Source(
    "eurosat",
    ("eurosat/2750",),
    ("Forest",),
    "Helber et al. 2019, https://github.com/phelber/EuroSAT",
    "MIT",
    "EuroSAT",
)
_CALTECH101 = Source(
    "caltech101",
    ("caltech101/101_ObjectCategories",),
    ("accordion",),
    "Fei-Fei, Fergus & Perona 2004, https://data.caltech.edu/records/mzrjq-6wc02",
    "CC BY 4.0",
    "Caltech101",
)
_IMAGENET = Source(
    "imagenet",
    ("",),
    (),
    "Deng et al. 2009, https://www.image-net.org/",
    "non-commercial research and education only",
)


def read_flowers102(root: Path, download: bool) -> DataBundle:
    """Read the lists of the three parts."""
    from scipy.io import loadmat

    folder = find(_FLOWERS102, root, download)
    classes = tuple(torchvision_class("Flowers102").classes)
    try:
        labels = loadmat(folder / "imagelabels.mat", squeeze_me=True)["labels"].tolist()
        listed = loadmat(folder / "setid.mat", squeeze_me=True)
        numbers = {"train": listed["trnid"], "val": listed["valid"], "test": listed["tstid"]}
        parts = {
            part: [(classes[labels[n - 1] - 1], folder / f"jpg/image_{n:05d}.jpg") for n in chosen]
            for part, chosen in numbers.items()
        }
    except Exception as error:  # the border to SciPy's reader
        raise DataError(
            f"the lists in {folder} cannot be read: {error}; fetch them again"
        ) from error
    return _bundle(_FLOWERS102, root, classes, {name: _group(part) for name, part in parts.items()})


def read_food101(root: Path, download: bool) -> DataBundle:
    """Read the lists of both parts."""
    folder = find(_FOOD101, root, download)
    parts = {}
    for part in ("train", "test"):
        try:
            listed = json.loads((folder / f"meta/{part}.json").read_bytes())
            parts[part] = {
                name: [folder / f"images/{image}.jpg" for image in images]
                for name, images in listed.items()
            }
        except (ValueError, AttributeError, TypeError) as error:
            raise DataError(f"{folder / f'meta/{part}.json'} is damaged: {error}") from None
    return _bundle(_FOOD101, root, tuple(sorted(parts["train"])), parts)


def read_oxford_pets(root: Path, download: bool) -> DataBundle:
    """Read the lists of both parts, whose lines are: image, breed, species, number."""
    folder = find(_PETS, root, download)
    breeds: dict[str, int] = {}
    parts = {}
    for part, file in {"train": "trainval", "test": "test"}.items():
        pairs = []
        for image, breed in _rows(folder / f"annotations/{file}.txt", r"(\w+) (\d+) \d+ \d+"):
            name = " ".join(word.title() for word in image.split("_")[:-1])
            breeds.setdefault(name, int(breed))
            pairs.append((name, folder / f"images/{image}.jpg"))
        parts[part] = _group(pairs)
    classes = tuple(sorted(breeds, key=lambda name: breeds[name]))
    return _bundle(_PETS, root, classes, parts)


def read_dtd(root: Path, download: bool, partition: int) -> DataBundle:
    """Read the lists of the three parts of a partition, whose lines are: class/image."""
    if not 1 <= partition <= 10:
        raise UsageError(f"dtd: partition is {partition}, but must be from 1 to 10")
    files = {part: f"labels/{part}{partition}.txt" for part in ("train", "val", "test")}
    source = Source(
        "dtd",
        ("dtd/dtd",),
        ("images", *files.values()),
        "Cimpoi et al. 2014, https://www.robots.ox.ac.uk/~vgg/data/dtd/",
        "research only",
        "DTD",
    )
    folder = find(source, root, download)
    parts = {
        part: _group(
            (name, folder / "images" / name / image)
            for name, image in _rows(folder / file, r"([^/]+)/([^/]+)")
        )
        for part, file in files.items()
    }
    return _bundle(source, root, tuple(sorted(parts["train"])), parts)


def read_eurosat(root: Path, download: bool) -> DataBundle:
    """List the class folders."""
    images = _class_folders(find(_EUROSAT, root, download))
    return _bundle(_EUROSAT, root, tuple(sorted(images)), {"train": images})


def read_caltech101(root: Path, download: bool) -> DataBundle:
    """List the class folders."""
    images = _class_folders(find(_CALTECH101, root, download))
    images.pop("BACKGROUND_Google", None)
    return _bundle(_CALTECH101, root, tuple(sorted(images)), {"train": images})


def read_imagenet(root: Path) -> DataBundle:
    """List the class folders of train and val, or of the one that is there."""
    parts = {
        part: _class_folders(root / part) for part in ("train", "val") if (root / part).is_dir()
    }
    ids = sorted({wordnet_id for images in parts.values() for wordnet_id in images})
    if not ids:
        raise DataError(
            f"imagenet is not in {root}: neither train nor val there holds class folders, such as "
            "n01440764, with images; unpack the archives of image-net.org into such folders"
        )
    names = _imagenet_names(ids)
    renamed = {
        part: {names[wordnet_id]: paths for wordnet_id, paths in images.items()}
        for part, images in parts.items()
    }
    return _bundle(_IMAGENET, root, tuple(names.values()), renamed)


def _imagenet_names(ids: Sequence[str]) -> dict[str, str]:
    # Sorted, the ids of all 1,000 classes are in the order of the outputs of pretrained models.
    from torchvision.models import ResNet18_Weights

    names = ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    return dict(zip(ids, names if len(ids) == len(names) else ids, strict=True))


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    images = {each.name: list_images(each)[0] for each in list_folders(folder)}
    return {name: paths for name, paths in images.items() if paths}


def _group(pairs: Iterable[tuple[str, Path]]) -> ByClass:
    grouped = defaultdict(list)
    for name, path in pairs:
        grouped[name].append(path)
    return grouped


def _rows(path: Path, pattern: str) -> Iterator[tuple[str, ...]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(pattern, line.strip())
        if match is None:
            raise DataError(f"{path}, line {number}: {line[:80]!r} is not of the form {pattern}")
        yield match.groups()


def _bundle(
    source: Source, root: Path, classes: tuple[str, ...], parts: Mapping[str, ByClass]
) -> DataBundle:
    splits = {part: FileSplit.from_classes(root, classes, parts[part]) for part in parts}
    return make_bundle(source, splits, classes)
