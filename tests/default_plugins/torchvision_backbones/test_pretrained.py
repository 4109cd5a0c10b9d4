"""Where a backbone's parameters come from: published, a file, or random, and what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torchvision import models

from ftcore import Backbone, DataError, UsageError, Weights
from ftcore.default_plugins.torchvision_backbones import pretrained

from .models import create, original

NAME = "shufflenet_v2_x0_5"
CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache, made empty, without a network behind it."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("FTCORE_OFFLINE", "1")
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@dataclass
class _Published:
    """An enumeration of weights that has one member."""

    DEFAULT: Any

    def __iter__(self) -> Any:
        return iter([self.DEFAULT])


@pytest.fixture
def published(cache: Path, weights_file: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of weights that torchvision seems to publish, and that are in the cache."""
    content = Path(weights_file).read_bytes()
    url = f"https://models.invalid/x-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (cache / Path(url).name).write_bytes(content)
    member = SimpleNamespace(name="IMAGENET1K_V1", url=url, meta={"categories": list(CLASSES)})
    monkeypatch.setattr(pretrained, "published_weights", lambda name: _Published(member))
    return url


def _parameters(backbone: Backbone) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in backbone.named_parameters().values()])


def _is_loaded(backbone: Backbone) -> bool:
    model = original(NAME)
    expected = torch.cat([p.flatten() for n, p in model.named_parameters() if n[:3] != "fc."])
    return torch.equal(_parameters(backbone), expected)


@pytest.mark.parametrize("weights", ["auto", "imagenet"])
def test_published_weights_are_taken_from_the_cache(published: str, weights: str) -> None:
    backbone = create(NAME, weights=weights)
    assert _is_loaded(backbone)
    assert backbone.classes == CLASSES
    assert backbone.weights.name == "imagenet"
    assert backbone.weights.origin == published
    assert backbone.weights.sha256[:8] in published
    assert backbone.weights.training_data == "ImageNet-1k"
    assert backbone.weights.licence.startswith("BSD-3-Clause")
    assert backbone.weights.note == ""


def test_auto_says_what_it_used_instead(cache: Path) -> None:
    backbone = create(NAME, weights="auto")
    url = models.get_model_weights(NAME).DEFAULT.url
    assert backbone.weights.name == "random"
    assert not backbone.weights.is_pretrained
    assert backbone.head is None
    assert backbone.classes == ()
    assert backbone.weights.note == (
        f"{NAME} starts from random weights, so scores say nothing about pretrained features: "
        f"{url} is not at hand: FTCORE_OFFLINE is set, so nothing is downloaded. "
        f"Put the file into {cache}, or give the path of a weights file."
    )


def test_imagenet_is_strict() -> None:
    with pytest.raises(DataError, match=r"shufflenetv2_x0\.5-f707e7126e\.pth is not at hand"):
        create(NAME, weights="imagenet")


def test_damaged_copy_in_the_cache_is_not_used(published: str, cache: Path) -> None:
    next(cache.iterdir()).write_bytes(b"damaged")
    assert "the copy in the cache is damaged" in create(NAME, weights="auto").weights.note
    with pytest.raises(DataError, match="the copy in the cache is damaged"):
        create(NAME, weights="imagenet")


def test_none_is_random_and_follows_the_seed() -> None:
    drawn = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        backbone = create(NAME, weights="none")
        assert backbone.weights == Weights(name="random")
        assert backbone.head is None
        drawn.append(_parameters(backbone))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_file_is_loaded_with_its_own_head(weights_file: str) -> None:
    backbone = create(NAME, weights=weights_file)
    content = Path(weights_file).read_bytes()
    assert _is_loaded(backbone)
    assert backbone.weights == Weights(
        "shufflenet.pth", weights_file, hashlib.sha256(content).hexdigest(), "unknown"
    )
    assert backbone.head is not None
    assert backbone.head(torch.zeros(1, 1024)).shape == (1, 7)
    assert backbone.classes == ()


def test_published_file_given_by_path_is_recognised(published: str, weights_file: str) -> None:
    backbone = create(NAME, weights=weights_file)
    assert backbone.classes == CLASSES
    assert backbone.weights.name == "shufflenet.pth"
    assert backbone.weights.origin == weights_file
    assert backbone.weights.training_data == "ImageNet-1k"


def test_home_folder_is_found(monkeypatch: pytest.MonkeyPatch, weights_file: str) -> None:
    monkeypatch.setenv("HOME", str(Path(weights_file).parent))
    assert _is_loaded(create(NAME, weights="~/shufflenet.pth"))


def test_file_without_a_head_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "features.pth"
    state = original(NAME).state_dict()
    torch.save({key: value for key, value in state.items() if key[:3] != "fc."}, path)
    backbone = create(NAME, weights=str(path))
    assert _is_loaded(backbone)
    assert backbone.head is None


def _without_bias(state: dict[str, torch.Tensor]) -> None:
    del state["fc.bias"]


def _without_outputs(state: dict[str, torch.Tensor]) -> None:
    state["fc.weight"] = torch.zeros(0, 1024)


def _scalar(state: dict[str, torch.Tensor]) -> None:
    state["fc.weight"] = torch.tensor(1.0)


def _with_wide_head(state: dict[str, torch.Tensor]) -> None:
    state["fc.weight"] = torch.zeros(7, 512)


def _with_other_names(state: dict[str, torch.Tensor]) -> None:
    for key in [key for key in state if key.startswith("conv1.")]:
        state[f"stem.{key}"] = state.pop(key)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without_bias, r"1 missing \(fc\.bias\)"),
        (_without_outputs, r"head without outputs: fc\.weight has the shape \(0, 1024\)"),
        (_scalar, r"head without outputs: fc\.weight has the shape \(\)"),
        (_with_wide_head, r"fc\.weight is \(7, 512\), not \(7, 1024\)"),
        (_with_other_names, r"5 missing \(.*\); 6 unexpected \(stem\.conv1\.0\.weight, "),
    ],
)
def test_file_that_does_not_fit_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    path = tmp_path / "other.pth"
    state = dict(original(NAME).state_dict())
    change(state)
    torch.save(state, path)
    with pytest.raises(DataError, match=words) as caught:
        create(NAME, weights=str(path))
    assert str(path) in str(caught.value)


def test_other_architecture_is_refused(weights_file: str) -> None:
    with pytest.raises(DataError, match=r"shufflenet\.pth does not fit SqueezeNet"):
        create("squeezenet1_0", weights=weights_file)


@pytest.mark.parametrize("weights", ["imagnet", "random", "", "IMAGENET1K_V1"])
def test_unknown_word_is_refused(weights: str) -> None:
    with pytest.raises(UsageError, match="give auto, imagenet, none, or the path"):
        create(NAME, weights=weights)


@pytest.mark.parametrize("weights", ["no-such-file.pth", "no/such/file.safetensors"])
def test_missing_file_is_named(weights: str) -> None:
    with pytest.raises(DataError, match=f"there is no weights file {weights}"):
        create(NAME, weights=weights)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("squeezenet1_0", "squeezenet1_0_deepcomp-bd6a2a64.pth"),
        ("mobilenet_v2", "mobilenet_v2_tf2ptq-0742dba5.pth"),
    ],
)
@torch.no_grad()
def test_real_weights_give_what_torchvision_gives(shared_data: Path, name: str, file: str) -> None:
    path = shared_data / "weights" / "imagenet" / file
    model = models.get_model(name, weights=None)
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    backbone = create(name, weights=str(path))
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    flow = images
    for stage in backbone.head_stages:
        flow = stage.module(flow)
    assert backbone.head is not None
    assert torch.equal(backbone.head(flow), model.eval()(images))
    assert backbone.weights.sha256[:8] in file
