from __future__ import annotations

import copy
import json
import re
import shutil
from collections import OrderedDict
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ftcore.engine.device import Machine, threads
from ftcore.engine.digests import digests
from ftcore.engine.prefix import accelerate, choose_batch_size
from ftcore.errors import ConfigError
from tests.default_plugins.torchvision_backbones.models import create, skip_initialisation
from tests.tiny import make_backbone

CPU = torch.device("cpu")
FP32 = Machine(CPU, "fp32", torch.contiguous_format)
BF16 = replace(FP32, precision="bf16")

# name, size of the images, BatchNorms folded, BatchNorms that have no layer of their own below
FAMILIES = [
    ("resnet18", 64, 20, 0),
    ("resnext50_32x4d", 32, 53, 0),
    ("mobilenet_v2", 64, 52, 0),
    ("mobilenet_v3_small", 64, 34, 0),
    ("densenet121", 32, 1 + 58, 62),
    ("regnet_x_400mf", 32, 71, 0),
    ("regnet_y_400mf", 32, 53, 0),
    ("efficientnet_b0", 64, 49, 0),
    ("convnext_tiny", 32, 0, 0),
    ("vit_b_32", 64, 0, 0),
    ("swin_t", 56, 0, 0),
    ("vgg11_bn", 32, 8, 0),
    ("squeezenet1_1", 64, 0, 0),
    ("shufflenet_v2_x0_5", 64, 56, 0),
]


def prefix_of(name: str, size: int) -> nn.Sequential:
    """Return all stages of a backbone, with made-up parameters and statistics.

    Weights are scaled so that the signal keeps its size (He 2015).
    """
    with pytest.MonkeyPatch.context() as monkeypatch:
        skip_initialisation(monkeypatch)
        backbone = create(name, weights="none", image_size=size)
    prefix = nn.Sequential(OrderedDict((stage.name, stage.module) for stage in backbone.stages))
    generator = torch.Generator().manual_seed(1)
    for key, tensor in prefix.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if key.endswith(("bias", "running_mean")):
            tensor.normal_(0, 0.3, generator=generator)
        elif tensor.ndim == 1:
            tensor.uniform_(0.6, 1.4, generator=generator)
        else:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
    return prefix.eval()


def tiny() -> nn.Sequential:
    return nn.Sequential(*(stage.module.eval() for stage in make_backbone().stages))


def relative(output: Tensor, exact: Tensor) -> float:
    return ((output.double() - exact).abs().max() / exact.abs().max()).item()


@torch.no_grad()
@pytest.mark.parametrize(("name", "size", "folded", "left"), FAMILIES)
def test_every_family_folded_rounds_no_worse_than_its_stages(
    name: str, size: int, folded: int, left: int
) -> None:
    prefix = prefix_of(name, size)
    images = torch.randn(4, 3, size, size, generator=torch.Generator().manual_seed(2))
    before, plain = digests(prefix.state_dict()), prefix(images)
    fast = accelerate(prefix, FP32, "folded", images)
    output = fast(images)
    assert len(fast.folded) == folded
    assert sum(isinstance(module, nn.BatchNorm2d) for module in prefix.modules()) == folded + left
    assert torch.equal(fast(images), output)
    assert digests(prefix.state_dict()) == before
    assert fast.difference == pytest.approx(relative(output, plain.double()))
    exact = prefix.double()(images.double())
    # MobileNetV2 with such weights magnifies the rounding of either, since its signals cancel.
    assert relative(output, exact) < 3e-6 + 3 * relative(plain, exact)


@torch.no_grad()
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "swin_t", "squeezenet1_1"])
def test_bf16_rounds_as_autocast_does(name: str) -> None:
    prefix = prefix_of(name, 56)
    images = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(2))
    fast = accelerate(prefix, BF16, "folded", images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        dtype = prefix(images).dtype
    assert fast.dtype == fast(images).dtype == dtype
    exact = prefix.double()(images.double())
    assert 1e-4 < relative(fast(images), exact) < 0.03  # bfloat16 holds eight bits
    assert fast.difference == pytest.approx(relative(fast(images), exact), rel=0.01)


class InFp32(nn.Module):
    """A stage that leaves autocast."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, inputs: Tensor) -> Any:
        with torch.autocast("cpu", enabled=False):
            return self.norm(self.conv(inputs.float()))


def test_a_stage_that_leaves_autocast_keeps_its_weights() -> None:
    fast = accelerate(nn.Sequential(InFp32()).eval(), BF16, "auto", torch.randn(2, 3, 8, 8))
    assert fast.dtype == torch.float32
    assert fast.difference < 1e-5


def test_plain_calls_the_stages_themselves() -> None:
    prefix, inputs = tiny(), torch.randn(3, 2, 4, 4)
    fast = accelerate(prefix, FP32, "plain", inputs)
    assert fast.difference == 0.0
    assert torch.equal(fast(inputs), prefix(inputs))
    assert fast.call is prefix


@pytest.mark.parametrize("how", ["plain", "auto"])
def test_outputs_can_be_trained_on(how: str) -> None:
    inputs = torch.randn(3, 2, 4, 4)
    head = nn.Linear(8, 2)
    output = accelerate(tiny(), FP32, how, inputs)(inputs)
    assert not output.requires_grad
    head(output).sum().backward()
    assert head.weight.grad is not None


class Choose(nn.Module):
    """A stage that takes inputs of its own kind."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind
        self.conv = nn.Conv2d(2, 4, 3)

    def forward(self, inputs: Any) -> Any:
        if self.kind is dict:
            return self.conv(inputs["image"]) + inputs["shift"]
        return self.conv(inputs[0]) + inputs[1]


@pytest.mark.parametrize("how", ["plain", "folded"])
@pytest.mark.parametrize("kind", [tuple, dict])
def test_tuples_and_dicts_go_in(kind: type, how: str) -> None:
    values = (torch.randn(3, 2, 6, 6), torch.randn(3, 4, 4, 4))
    inputs = dict(zip(("image", "shift"), values, strict=True)) if kind is dict else values
    prefix = nn.Sequential(Choose(kind), nn.BatchNorm2d(4)).eval()
    fast = accelerate(prefix, FP32, how, inputs)
    assert torch.equal(fast(inputs), prefix(inputs))
    assert fast.batch_size == 32


class Misleading(nn.Module):
    """A stage whose trace is not what it does: it asks whether it is given a tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.norm.running_mean = torch.full((4,), 5.0)

    def forward(self, inputs: Any) -> Any:
        if isinstance(inputs, Tensor):
            return self.norm(self.conv(inputs).relu())
        return self.norm(self.conv(inputs))


class Uncopied(nn.Conv2d):
    """A stage that bears no copy."""

    def __deepcopy__(self, memo: object) -> Uncopied:
        raise RuntimeError("holds a handle")


class Curious(nn.Sequential):
    """A stage that looks into its BatchNorm."""

    def forward(self, inputs: Tensor) -> Any:
        return self[1](self[0](inputs)) + self[1].eps


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (Misleading(), "folding BatchNorms changes the outputs .* more than 1e-04; .* plain"),
        (Uncopied(3, 4, 3), "fail once they are copied and folded .*holds a handle"),
        (Curious(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), "no attribute 'eps'"),
    ],
)
def test_stages_that_cannot_be_folded_are_computed_plain(stage: nn.Module, words: str) -> None:
    prefix, probe = nn.Sequential(stage).eval(), torch.randn(2, 3, 8, 8)
    fast = accelerate(prefix, FP32, "auto", probe)
    assert (fast.how, fast.folded, fast.difference) == ("plain", (), 0.0)
    assert re.search(words, fast.note)
    with pytest.raises(ConfigError, match=words):
        accelerate(prefix, FP32, "folded", probe)


def test_a_way_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'quick'.*auto, plain, folded, compiled"):
        accelerate(tiny(), FP32, "quick", torch.randn(1, 2, 4, 4))


def test_outputs_that_are_not_one_tensor_are_refused() -> None:
    prefix = nn.Sequential(nn.LSTM(4, 4))
    with pytest.raises(ConfigError, match="return tuple, not one tensor"):
        accelerate(prefix, FP32, "plain", torch.randn(2, 3, 4))


def test_the_description_says_what_was_done() -> None:
    fast = accelerate(tiny(), FP32, "auto", torch.randn(2, 2, 4, 4))
    assert json.loads(json.dumps(fast.describe())) == {
        "how": "folded",
        "folded": ["0.0", "1.0", "2.0"],
        "layout": "channels_last",
        "precision": "fp32",
        "dtype": "float32",
        "compiled": False,
        "batch_size": 256,
    }


@pytest.mark.parametrize(
    ("shape", "count", "expected"),
    [
        ((3, 224, 224), 1, 8),
        ((3, 224, 224), 2, 16),
        ((3, 224, 224), 64, 256),
        ((3, 384, 384), 1, 8),
        ((3, 64, 64), 1, 64),
        ((3, 32, 32), 1, 256),
        ((1, 8, 8), 1, 256),
        ((512,), 2, 32),
    ],
)
def test_a_batch_holds_what_its_threads_keep_at_hand(
    shape: tuple[int, ...], count: int, expected: int
) -> None:
    with threads(count):
        assert choose_batch_size(torch.empty(2, *shape), CPU) == expected


@pytest.mark.filterwarnings("ignore")  # those of the compiler
@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler g++ was not found")
def test_compiled_stages_compute_the_same_in_batches_of_any_length() -> None:
    prefix, inputs = tiny(), torch.randn(256, 2, 4, 4)
    expected = prefix(inputs).detach().double()
    fast = accelerate(prefix, FP32, "compiled", inputs[:2])
    assert fast.describe()["compiled"]
    for count in (1, 5, fast.batch_size):
        assert relative(fast(inputs[:count]), expected[:count]) < 1e-5
        assert torch.equal(fast(inputs[:count]), fast(inputs[:count]))


def test_a_compiler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(module: nn.Module, **options: Any) -> Any:
        def call(inputs: Tensor) -> Tensor:
            raise RuntimeError("No working C++ compiler found\nin a long text")

        return call

    monkeypatch.setattr(torch, "compile", refuse)
    with pytest.raises(ConfigError, match=r"No working C\+\+ compiler found; compute them folded"):
        accelerate(tiny(), FP32, "compiled", torch.randn(2, 2, 4, 4))


def test_the_stages_are_not_touched() -> None:
    prefix = tiny()
    before, modules = copy.deepcopy(prefix.state_dict()), list(prefix.modules())
    accelerate(prefix, FP32, "folded", torch.randn(2, 2, 4, 4))
    assert all(a is b for a, b in zip(prefix.modules(), modules, strict=True))
    assert all(torch.equal(prefix.state_dict()[key], value) for key, value in before.items())
    assert all(parameter.requires_grad for parameter in prefix.parameters())
