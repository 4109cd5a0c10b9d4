"""Plant copies of test images in the training part of real datasets, and see which are found.

FTCORE_TEST_DATA names the folder of datasets and weights. Each kind of copy is planted alone: one
of every test image, or of up to 300. A copy is found where its test image is paired with it;
precision counts all pairs of a test image that are reported, but for those that are reported
without any planting, which are listed apart. Writes benchmarks/results/leaks.json.

    FTCORE_TEST_DATA=DATA python -m benchmarks.leaks_on_real_data
    python -m benchmarks.leaks_page    # the tables of docs/results.md
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from PIL import Image
from torch import Tensor

from benchmarks.measurement import host
from benchmarks.tables import RESULTS
from ftcore.api.composition import make_backbone
from ftcore.config import RunConfig
from ftcore.content import digest_of
from ftcore.engine.duplicates.features import FeatureLikeness, hint_at
from ftcore.engine.duplicates.near import Search
from ftcore.images.decode import decode_image
from ftcore.images.likeness import ImageLikeness
from ftcore.images.pillow import to_pillow
from ftcore.interfaces import Backbone
from ftcore.plugins import plugin_manager

DATASETS = {
    "hymenoptera": "folder:path={data}/hymenoptera/hymenoptera_data",
    "flowers": "folder:path={data}/flowers-thumbs",
    "cifar10-4k": "cifar10:root={data}/cifar10-subset/cifar-10-batches-py-subset,checksum=false",
    "fashion-mnist": "fashion-mnist:root={data}/fashion-mnist",
    "mnist": "mnist:root={data}/mnist",
}
PIXELS = {"hymenoptera": 224, "flowers": 128, "cifar10-4k": 64, "fashion-mnist": 48, "mnist": 48}
WEIGHTS = {
    "mobilenet_v2": "imagenet/mobilenet_v2_tf2ptq-0742dba5.pth",
    "squeezenet1_0": "imagenet/squeezenet1_0_deepcomp-bd6a2a64.pth",
}
MOST_TESTS, MOST_TRAINED = 300, 4000
RATIOS = (0.06, 0.12, 0.2, 0.3)

Change: TypeAlias = Callable[[Image.Image, random.Random], Image.Image]


def scaled(percent: int) -> Change:
    def change(image: Image.Image, _: random.Random) -> Image.Image:
        size = (max(1, image.width * percent // 100), max(1, image.height * percent // 100))
        return image.resize(size, Image.Resampling.BICUBIC)

    return change


def crop(image: Image.Image, generator: random.Random) -> Image.Image:
    width, height = round(0.9 * image.width), round(0.9 * image.height)
    left = generator.randint(0, image.width - width)
    top = generator.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))


def mirror(image: Image.Image, _: random.Random) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def same(image: Image.Image, _: random.Random) -> Image.Image:
    return image


# name -> what is done to the image, the suffix of its file, how it is saved
KINDS: dict[str, tuple[Change, str, dict[str, Any]]] = {
    "stored anew, lossless": (same, ".png", {}),
    "resized to 50 %": (scaled(50), ".png", {}),
    "resized to 75 %": (scaled(75), ".png", {}),
    "resized to 200 %": (scaled(200), ".png", {}),
    "JPEG, quality 50": (same, ".jpg", {"quality": 50}),
    "JPEG, quality 70": (same, ".jpg", {"quality": 70}),
    "JPEG, quality 90": (same, ".jpg", {"quality": 90}),
    "mirrored": (mirror, ".png", {}),
    "mirrored, JPEG 70": (mirror, ".jpg", {"quality": 70}),
    "cropped to 90 %": (crop, ".png", {}),
    "cropped to 90 %, JPEG 70": (crop, ".jpg", {"quality": 70}),
}


def main() -> None:
    torch.set_num_threads(2)
    data = Path(os.environ["FTCORE_TEST_DATA"])
    content: dict[str, Any] = {"host": host(), "planted": [], "untouched": []}
    for dataset in DATASETS:
        examples = Examples.read(dataset, data)
        content["untouched"].append(untouched(examples))
        content["planted"] += planted(examples, data)
        (RESULTS / "leaks.json").write_text(json.dumps(content, indent=1) + "\n")
        print(dataset, flush=True)


@dataclass(frozen=True)
class Examples:
    dataset: str
    train: list[Tensor]
    test: list[Tensor]
    ids: list[str]  # of both, train first
    input_shape: tuple[int, ...]

    @classmethod
    def read(cls, dataset: str, data: Path) -> Examples:
        bundle = plugin_manager().create("datasets", DATASETS[dataset].format(data=data))
        test = bundle.splits.get("test") or bundle.splits["val"]
        train = bundle.splits["train"]
        kept = range(min(MOST_TRAINED, len(train))), range(min(MOST_TESTS, len(test)))
        ids = [train.ids[index] for index in kept[0]] + [test.ids[index] for index in kept[1]]
        raws = [list(split.inputs(each)) for split, each in zip((train, test), kept, strict=True)]
        return cls(dataset, raws[0], raws[1], ids, bundle.input_shape)


def untouched(examples: Examples) -> dict[str, Any]:
    """Return the pairs that are reported among the images as they are."""
    raw = [*examples.train, *examples.test]
    started = time.perf_counter()
    sketches = ImageLikeness().sketch(raw)
    sketched = time.perf_counter()
    unique = {digest_of(image): place for place, image in reversed(list(enumerate(raw)))}
    pairs = Search(ImageLikeness(), sketches).among(sorted(unique.values()))
    return {
        "dataset": examples.dataset,
        "images": len(raw),
        "exact": len(raw) - len(unique),
        "pairs": [
            {"one": examples.ids[p.one], "other": examples.ids[p.other], "likeness": p.likeness}
            for p in pairs
        ],
        "sketch_seconds": sketched - started,
        "search_seconds": time.perf_counter() - sketched,
    }


def planted(examples: Examples, data: Path) -> list[dict[str, Any]]:
    copies = {kind: list(changed(kind, examples.test)) for kind in KINDS}
    rows = [exact(examples, kind, copies[kind]) for kind in ("stored anew, lossless",)]
    base, likeness = [*examples.train, *examples.test], ImageLikeness()
    sketches = {kind: likeness.sketch(copies[kind]) for kind in KINDS}
    scored = Scorer(examples, likeness, likeness.sketch(base), sketches, "likeness")
    rows += scored.rows()
    for backbone, file in WEIGHTS.items():
        for weights in (str(data / "weights" / file), "none"):
            options = {"backbone": backbone, "weights": weights}
            config = RunConfig.parse({**options, "image_size": PIXELS[examples.dataset]})
            made = make_backbone(config, examples.input_shape, plugin_manager())
            features = {kind: features_of(made, copies[kind]) for kind in KINDS}
            name = f"{backbone}, {'random' if weights == 'none' else 'ImageNet'}"
            of_base = features_of(made, base)
            rows += Scorer(examples, FeatureLikeness(), of_base, features, name).rows()
            if weights != "none":
                both = Scorer(examples, likeness, scored.base, sketches, f"likeness and {name}")
                both.hints = (of_base, features)
                rows += both.rows()
    return rows


def changed(kind: str, images: Sequence[Tensor]) -> Iterator[Tensor]:
    change, suffix, saving = KINDS[kind]
    generator = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"copy{suffix}"
        for image in images:
            change(to_pillow(image), generator).save(path, **saving)
            yield decode_image(path)


def exact(examples: Examples, kind: str, copies: Sequence[Tensor]) -> dict[str, Any]:
    same_content = sum(
        digest_of(one) == digest_of(other) for one, other in zip(examples.test, copies, strict=True)
    )
    recall = same_content / len(copies)
    names = {"dataset": examples.dataset, "kind": kind, "by": "content", "ratio": None}
    return {**names, "copies": len(copies), "recall": recall, "precision": 1.0 if recall else None}


class Scorer:
    """Looks for each kind of copy, planted in train, of the test images."""

    def __init__(
        self,
        examples: Examples,
        likeness: ImageLikeness | FeatureLikeness,
        base: Tensor,
        copies: dict[str, Tensor],
        name: str,
    ) -> None:
        self.examples, self.likeness, self.name = examples, likeness, name
        self.base, self.copies = base, copies
        self.hints: tuple[Tensor, dict[str, Tensor]] | None = None

    def rows(self) -> list[dict[str, Any]]:
        return [self.row(kind, ratio) for ratio in RATIOS for kind in KINDS]

    def row(self, kind: str, ratio: float) -> dict[str, Any]:
        trained, total = len(self.examples.train), len(self.base)
        tests = list(range(trained, total))
        copies = range(total, total + len(tests))
        sketches = torch.cat([self.base, self.copies[kind]])
        others = [*range(trained), *copies]
        hints = self.hints_for(kind, [*tests, *others])
        likeness = replace(self.likeness, ratio=ratio)
        found = Search(likeness, sketches, hints).between(tests, others)
        without = Search(likeness, self.base).between(tests, list(range(trained)))
        pairs = {(pair.one, pair.other) for pair in found}
        right = pairs & {(test, test + len(tests)) for test in tests}
        known = {(pair.one, pair.other) for pair in without}
        is_test = set(tests)
        wrong = {pair for pair in pairs - right - known if is_test & set(pair)}
        return {
            "dataset": self.examples.dataset,
            "kind": kind,
            "by": self.name,
            "ratio": ratio,
            "copies": len(tests),
            "recall": len(right) / len(tests),
            "precision": len(right) / len(right | wrong) if pairs else None,
            "reported_without": len(known),
        }

    def hints_for(self, kind: str, places: list[int]) -> Tensor | None:
        if self.hints is None:
            return None
        base, copies = self.hints
        pairs = hint_at(torch.cat([base, copies[kind]]), places)
        tests = torch.tensor(places[: len(self.examples.test)])
        return pairs[torch.isin(pairs, tests).sum(dim=1) == 1]


def features_of(backbone: Backbone, raw: Sequence[Tensor]) -> Tensor:
    features = []
    with torch.no_grad():
        for start in range(0, len(raw), 64):
            batch: Tensor = backbone.preprocess(raw[start : start + 64])
            for stage in backbone.stages:
                batch = stage.module.eval()(batch)
            features.append(batch)
    return torch.cat(features)


if __name__ == "__main__":
    main()
