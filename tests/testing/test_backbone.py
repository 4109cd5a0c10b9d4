from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ftcore.interfaces import Backbone, Preprocess, Stage, Weights
from ftcore.testing import check_backbone, tiny_backbone
from ftcore.testing.samples import Pixels

TINY = tiny_backbone()
STEM, BODY, POOL = TINY.stages


class Function(nn.Module):
    """A stage that is any function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Any) -> Any:
        return self.function(inputs)


def with_stages(*stages: Stage) -> Backbone:
    return dataclasses.replace(TINY, stages=stages)


def with_top(function: Callable[[Any], Any]) -> Backbone:
    return with_stages(*TINY.stages, Stage("extra", Function(function)))


def with_weights(*values: str) -> Backbone:
    return dataclasses.replace(TINY, weights=Weights(*values))


def counting() -> Backbone:
    """A backbone whose forward in eval mode moves a buffer."""
    top = Function(lambda features: features)
    top.register_buffer("calls", torch.zeros(()))
    top.function = lambda features: (top.get_buffer("calls").add_(1), features)[1]
    return with_stages(*TINY.stages, Stage("extra", top))


SHA = "0" * 64
HEAD = nn.Linear(8, 3)


@pytest.mark.parametrize(
    "backbone",
    [
        TINY,
        with_stages(Stage("all", nn.Sequential(*(stage.module for stage in TINY.stages)))),
        dataclasses.replace(TINY, head=HEAD, classes=("a", "b", "c")),
        dataclasses.replace(
            TINY, head=nn.Sequential(nn.Conv2d(8, 2, 1), POOL.module), head_input="body"
        ),
        with_weights("file.pth", "/file.pth", SHA),
        with_stages(*TINY.stages, Stage("drop", nn.Dropout())),
    ],
    ids=["random", "one stage", "head", "head below the features", "pretrained", "dropout"],
)
def test_what_keeps_the_contract_passes_and_stays_as_it_was(backbone: Backbone) -> None:
    for stage in backbone.stages:
        stage.module.train()
    check_backbone(backbone)
    assert all(part.training for stage in backbone.stages for part in stage.module.modules())


@pytest.mark.parametrize(
    ("backbone", "sentence"),
    [
        (with_stages(), "has no stages"),
        (with_stages(STEM, dataclasses.replace(BODY, name="stem"), POOL), "the same name"),
        (with_stages(dataclasses.replace(STEM, name=""), BODY, POOL), "has no name"),
        (with_stages(STEM, dataclasses.replace(BODY, name="head"), POOL), "named 'head'"),
        (with_stages(STEM, BODY, Stage("twin", BODY.module), POOL), "also belongs to stage 'body'"),
        (
            with_stages(
                Stage("a", nn.ModuleDict({"b": nn.ModuleDict({"c": nn.Linear(1, 1)})})),
                Stage("a.b", nn.ModuleDict({"c": nn.Linear(1, 1)})),
            ),
            "leave dots out",
        ),
        (dataclasses.replace(TINY, head_input="nope"), "head_input is 'nope'"),
        (with_weights(""), "weights.name is empty"),
        (with_weights("imagenet", "", SHA), "do not say where they come from"),
        (with_weights("imagenet", "https://example.org", "12ab"), "not the 64 hexadecimal digits"),
        (with_weights("random", "https://example.org"), "Random weights have no origin"),
        (with_weights("random", "", SHA), "Random weights have no file"),
        (dataclasses.replace(TINY, feature_dim=9), "feature_dim promises (3, 9)"),
        (with_top(lambda f: f.sum(0, keepdim=True)), "the first dimension is the batch"),
        (with_top(lambda f: (f,)), "features are one tensor"),
        (with_top(lambda f: f.long()), "not floating point"),
        (with_top(lambda f: f / 0), "not finite"),
        (with_top(lambda f: f + torch.rand_like(f)), "in eval mode differ"),
        (with_top(lambda f: f - f.mean(0)), "depend on the rest of its batch"),
        (counting(), "changed parameters or buffers"),
        (dataclasses.replace(TINY, classes=("a",)), "but has no head"),
        (dataclasses.replace(TINY, head=HEAD, classes=("a",)), "names 1 classes, its head has 3"),
        (dataclasses.replace(TINY, head=nn.Flatten(0)), "it maps to (N, C)"),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(backbone: Backbone, sentence: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_backbone(backbone)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith(".")


class Preprocessing(Pixels):
    """Preprocessing with one thing wrong."""

    def __init__(self, fault: str) -> None:
        object.__setattr__(self, "fault", fault)
        object.__setattr__(self, "calls", [])

    fault: str
    calls: list[int]

    def __call__(self, raw: Any, seeds: Sequence[int] = ()) -> Tensor:
        self.calls.append(1)
        batch = super().__call__(raw, seeds)
        if self.fault == "drifts":
            return batch + len(self.calls)
        if self.fault == "stacked differs" and isinstance(raw, Tensor):
            return batch + 1
        if self.fault == "grey differs" and raw[0].shape[0] == 1:
            return batch[:, :1]
        return batch

    def augmented(self, spec: str) -> Preprocess:
        if self.fault == "augments anything":
            return self
        return super().augmented(spec)

    def read(self, path: Path) -> Iterator[tuple[str, Any]]:
        return iter(()) if self.fault == "reads anything" else super().read(path)

    def describe(self) -> Mapping[str, Any]:
        if self.fault == "describes itself anew":
            self.calls.append(1)
            return {"calls": len(self.calls)}
        return super().describe()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("drifts", "differs from call to call"),
        ("stacked differs", "come stacked differs"),
        ("grey differs", "one channel gives another shape"),
        ("augments anything", "takes an unknown augmentation; raise ftcore.UsageError"),
        ("reads anything", "takes a file that is not there; raise ftcore.DataError"),
        ("describes itself anew", "answers differently each time"),
    ],
)
def test_a_broken_promise_of_the_preprocessing_is_told(fault: str, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        check_backbone(dataclasses.replace(TINY, preprocess=Preprocessing(fault)))


def test_sound_preprocessing_with_the_same_frame_passes() -> None:
    check_backbone(dataclasses.replace(TINY, preprocess=Preprocessing("none")))


def test_the_original_must_be_equal_bit_for_bit() -> None:
    original = nn.Sequential(*(stage.module for stage in TINY.stages))
    check_backbone(TINY, original)
    nearly = nn.Sequential(*original, Function(lambda f: torch.nextafter(f, f + 1)))
    with pytest.raises(AssertionError, match="does not equal the original model bit for bit"):
        check_backbone(TINY, nearly)


def test_the_head_is_part_of_what_is_compared() -> None:
    original = nn.Sequential(*(stage.module for stage in TINY.stages), HEAD)
    check_backbone(dataclasses.replace(TINY, head=HEAD), original)
    with pytest.raises(AssertionError, match="bit for bit"):
        check_backbone(TINY, original)


def test_inputs_may_be_anything_the_stages_take() -> None:
    """A model of token ids with a mask: a dict goes in, a tuple flows, a tensor comes out."""
    embedding = nn.Embedding(5, 8)

    class Embed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = embedding

        def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
            return self.embedding(batch["ids"]), batch["mask"]

    mean = Function(lambda pair: (pair[0] * pair[1].unsqueeze(-1)).sum(1) / pair[1].sum(1, True))
    backbone = with_stages(Stage("embed", Embed()), Stage("mean", mean))
    batch = {"ids": torch.tensor([[1, 2], [3, 0]]), "mask": torch.tensor([[1, 1], [1, 0]])}
    check_backbone(backbone, inputs=batch)
