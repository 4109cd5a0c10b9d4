from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ftcore.content import digest_of
from ftcore.interfaces import DataBundle
from ftcore.testing import check_dataset

IMAGES = torch.arange(6 * 3 * 4 * 4).view(6, 3, 4, 4).to(torch.uint8)
TARGETS = torch.tensor([0, 1, 0, 1, 0, 1])


class Images:
    """Six images, with one fault or none."""

    def __init__(
        self, prefix: str = "x", images: Any = IMAGES, targets: Any = TARGETS, fault: str = ""
    ) -> None:
        self.prefix, self.images, self._targets, self.fault = prefix, images, targets, fault
        self.calls = 0

    @property
    def ids(self) -> Sequence[Any]:
        self.calls += 1
        ids: list[Any] = [f"{self.prefix}-{index}" for index in range(len(self.images))]
        if self.fault == "ids drift":
            return [f"{id_}-{self.calls}" for id_ in ids]
        last: dict[str, list[Any]] = {"id twice": ids[:1], "id missing": [], "id number": [5]}
        return ids[:-1] + last.get(self.fault, ids[-1:])

    @property
    def targets(self) -> Tensor:
        self.calls += 1
        targets: Tensor = self._targets
        return targets + self.calls if self.fault == "targets drift" else targets

    def __len__(self) -> int:
        return len(self.images)

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        self.calls += 1
        chosen = sorted(indices) if self.fault == "sorts" else list(indices)
        images = [self.images[index] for index in chosen]
        if self.fault == "inputs drift":
            return [image + self.calls for image in images]
        if self.fault == "context":
            return [image + len(indices) for image in images]
        return images[1:] if self.fault == "loses one" else images

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        if self.fault == "digests alike":
            return ["same"] * len(indices)
        if self.fault == "digests number":
            return [f"{position}" for position in range(len(indices))]
        return [digest_of(self.images[index]) for index in indices]


def bundle(**changes: Any) -> DataBundle:
    return dataclasses.replace(
        DataBundle("d", "classification", {"train": Images()}, ("a", "b"), (4, 4)), **changes
    )


def train(**options: Any) -> DataBundle:
    return bundle(splits={"train": Images(**options)})


@pytest.mark.parametrize(
    "sound",
    [
        bundle(),
        bundle(splits={"train": Images("a"), "val": Images("b"), "test": Images("c")}),
        train(images=IMAGES[:1], targets=TARGETS[:1]),
        train(images=IMAGES[:, :1]),
        bundle(splits={"train": Images(targets=torch.rand(6))}, classes=()),
        bundle(splits={"train": Images(targets=TARGETS.expand(4, 6).T)}),
        bundle(splits={"train": Images(images=list("abcdef"))}, input_shape=()),
    ],
    ids=["images", "parts", "one example", "grey", "numbers", "a target a pixel", "texts"],
)
def test_what_keeps_the_contract_passes(sound: DataBundle) -> None:
    check_dataset(sound)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (bundle(name=""), "has no name"),
        (bundle(task=""), "does not say which task"),
        (bundle(splits={"test": Images()}), "There is no part 'train', only ['test']."),
        (bundle(splits={"train": Images(), "dev": Images("d")}), "Unknown parts ['dev']"),
        (bundle(classes=("a", "a")), "Two classes have the same name"),
        (bundle(splits={"train": object()}), "no ftcore.Split"),
        (train(images=IMAGES[:0], targets=TARGETS[:0]), "has no examples"),
        (train(fault="id missing"), "has 5 ids for 6 examples"),
        (train(fault="ids drift"), "The ids of 'train' differ from call to call"),
        (train(fault="id number"), "The id 5 in 'train' is no str"),
        (train(fault="id twice"), "Two examples of 'train' have the same id"),
        (
            bundle(splits={"train": Images(), "test": Images()}),
            "'x-0' stands for an example of 'train' and of 'test'",
        ),
        (train(targets=[0] * 6), "are no tensor"),
        (train(targets=TARGETS[:5]), "have shape (5,), not (6, …)"),
        (train(targets=TARGETS.sum()), "have shape (), not (6, …)"),
        (train(fault="targets drift"), "The targets of 'train' differ from call to call"),
        (train(targets=TARGETS.int()), "are torch.int32"),
        (train(targets=TARGETS + 1), "The target of 'x-1' in 'train' is 2"),
        (train(targets=TARGETS - 100), "The target of 'x-0' in 'train' is -100"),
        (train(fault="loses one"), "returns 3 examples for 4 indices"),
        (train(fault="inputs drift"), "Reading 'train' twice"),
        (train(fault="sorts"), "in the order of the indices"),
        (train(fault="context"), "differs with what is read beside it"),
        (train(fault="digests alike"), "differ and have the same digest"),
        (train(fault="digests number"), "The digest of 'x-1' in 'train' differs"),
        (train(images=list("abcdef")), "'x-0' of 'train' is a str, no tensor"),
        (train(images=IMAGES.float()), "images are uint8"),
        (train(images=IMAGES[:, :2]), "has shape (2, 4, 4)"),
        (train(images=IMAGES[:, 0]), "has shape (4, 4)"),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(broken: DataBundle, sentence: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_dataset(broken)
    assert sentence in str(caught.value)


class Crooked:
    """A likeness of images, with one fault or none."""

    threshold, certain, ratio = 0.9, 1.0, 0.1

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def sketch(self, raw: Sequence[Any]) -> Tensor:
        sketches = torch.stack(list(raw)).float().flatten(1)
        return sketches - sketches.mean() if self.fault == "context" else sketches

    def glance(self, sketches: Tensor) -> Tensor:
        vectors = torch.nn.functional.normalize(sketches, dim=1)
        faults = {"flat": vectors, "long": 2 * vectors[None], "few": vectors[None, 1:]}
        return faults.get(self.fault, vectors[None])

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        return torch.full((len(sketches),), 0.5 if self.fault == "unlike" else 1.0)

    def describe(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("", ""),
        ("context", "differs with what is read beside it"),
        ("flat", "not .V, N, D."),
        ("few", "3 vectors for 4"),
        ("long", "vectors of lengths"),
        ("unlike", "like themselves by .0.5"),
    ],
)
def test_a_likeness_keeps_its_contract(fault: str, words: str) -> None:
    bundle = DataBundle("x", "classification", {"train": Images()}, ("a", "b"), (4, 4))
    bundle = dataclasses.replace(bundle, likeness=Crooked(fault))
    if not fault:
        check_dataset(bundle)
        return
    with pytest.raises(AssertionError, match=words):
        check_dataset(bundle)
