"""Every family, cut into stages, equals torchvision's model bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ftcore import Backbone
from ftcore.default_plugins.torchvision_backbones.preprocessing import make_preprocess

from .models import ARCHITECTURES, create, original, skip_initialisation

LAYERS = "stem layer1 layer2 layer3 layer4 pool"
BLOCKS = "stem block1 block2 block3 block4 pool"
STAGES = "stem stage1 stage2 stage3 stage4"
ENCODER = " ".join(f"layer{number}" for number in range(1, 13))

# name, image size chosen for images of 28 pixels, feature size, stages
CASES = [
    ("alexnet", 64, 4096, "block1 block2 block3 fc6 fc7"),
    ("vgg11_bn", 32, 4096, "block1 block2 block3 block4 block5 fc6 fc7"),
    ("resnet18", 32, 512, LAYERS),
    ("resnext50_32x4d", 32, 2048, LAYERS),
    ("densenet121", 32, 1024, BLOCKS),
    ("mobilenet_v2", 32, 1280, f"{STAGES} stage5 stage6 stage7 last_conv pool"),
    ("mobilenet_v3_small", 32, 1024, f"{STAGES} stage5 last_conv fc"),
    ("mobilenet_v3_large", 32, 1280, f"{STAGES} stage5 stage6 last_conv fc"),
    ("efficientnet_b0", 32, 1280, f"{STAGES} stage5 stage6 stage7 last_conv pool"),
    ("efficientnet_v2_s", 32, 1280, f"{STAGES} stage5 stage6 last_conv pool"),
    ("convnext_tiny", 32, 768, f"{STAGES} pool"),
    ("regnet_x_400mf", 32, 400, BLOCKS),
    ("regnet_y_400mf", 32, 440, BLOCKS),
    ("squeezenet1_0", 32, 512, "block1 block2 block3 block4 pool"),
    ("squeezenet1_1", 32, 512, "block1 block2 block3 block4 pool"),
    ("shufflenet_v2_x0_5", 32, 1024, "stem stage2 stage3 stage4 conv5 pool"),
    ("swin_t", 56, 768, "embed stage1 stage2 stage3 stage4 pool"),
    ("swin_v2_t", 32, 768, "embed stage1 stage2 stage3 stage4 pool"),
    ("vit_b_16", 64, 768, f"embed {ENCODER} norm"),
]


@dataclass(frozen=True)
class Case:
    """A backbone that was loaded from the state of torchvision's model, beside that model."""

    name: str
    size: int
    feature_dim: int
    stages: tuple[str, ...]
    original: nn.Module
    backbone: Backbone

    @property
    def images(self) -> Tensor:
        generator = torch.Generator().manual_seed(2)
        return torch.randn(2, 3, self.size, self.size, generator=generator)


@pytest.fixture(scope="module", params=CASES, ids=[row[0] for row in CASES])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name, size, feature_dim, stages = request.param
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    with pytest.MonkeyPatch.context() as monkeypatch:
        skip_initialisation(monkeypatch)
        model = original(name, **({"image_size": size} if name.startswith("vit") else {}))
        save_file(model.state_dict(), path)
        backbone = create(name, weights=str(path), image_size=size)
    path.unlink()
    return Case(name, size, feature_dim, tuple(stages.split()), model, backbone)


@torch.no_grad()
def test_stages_and_head_equal_the_original(case: Case) -> None:
    expected = case.original(case.images)
    flow = case.images
    for stage in case.backbone.head_stages:
        flow = stage.module(flow)
    assert case.backbone.head is not None
    assert torch.equal(case.backbone.head(flow), expected)
    assert expected.isfinite().all()
    assert (expected[0] - expected[1]).abs().max() > 1e-4, "the images make no difference"


@torch.no_grad()
def test_stages_end_in_features(case: Case) -> None:
    assert tuple(stage.name for stage in case.backbone.stages) == case.stages
    assert case.backbone.feature_dim == case.feature_dim
    assert case.backbone.preprocess.describe()["size"] == case.size
    flow = case.images
    for stage in case.backbone.stages:
        flow = stage.module(flow)
    assert flow.shape == (2, case.feature_dim)


def test_parts_hold_what_the_original_holds_once(case: Case) -> None:
    modules = [stage.module for stage in case.backbone.stages]
    assert case.backbone.head is not None
    parts = [*modules, case.backbone.head]
    assert _contents(parts) == _contents([case.original])
    parameters = [id(each) for part in parts for each in part.parameters()]
    assert len(set(parameters)) == len(parameters)


def _contents(modules: list[nn.Module]) -> list[tuple[Any, ...]]:
    tensors = [tensor for module in modules for tensor in module.state_dict().values()]
    return sorted((tuple(t.shape), str(t.dtype), t.double().sum().item()) for t in tensors)


@torch.no_grad()
@pytest.mark.parametrize("is_training", [False, True])
def test_nothing_writes_into_what_it_is_given(case: Case, is_training: bool) -> None:
    # The output of a frozen prefix is cached, and given to what is above it again and again.
    assert case.backbone.head is not None
    head_inputs = case.backbone.head_stages[-1].name
    flow = case.images
    for stage in case.backbone.stages:
        given = flow.clone()
        output = stage.module.train(is_training)(flow)
        stage.module.eval()
        assert torch.equal(flow, given), stage.name
        flow = output
        if stage.name == head_inputs:
            given = flow.clone()
            case.backbone.head.train(is_training)(flow)
            case.backbone.head.eval()
            assert torch.equal(flow, given), "head"


@torch.no_grad()
def test_smallest_size_is_the_smallest(case: Case) -> None:
    sizes = ARCHITECTURES[case.name].sizes
    if sizes.is_strict:
        pytest.skip("the model is built for one size")
    _run(case.backbone, sizes.smallest)
    if sizes.smallest > 1:
        with pytest.raises(RuntimeError):
            _run(case.backbone, sizes.smallest - 1)


@torch.no_grad()
@pytest.mark.parametrize("raw", [32, 64])
def test_size_chosen_for_small_images_works(case: Case, raw: int) -> None:
    chosen = make_preprocess(ARCHITECTURES[case.name], None, (raw, raw)).size
    assert chosen >= raw
    if not ARCHITECTURES[case.name].sizes.is_strict:
        _run(case.backbone, chosen)


def _run(backbone: Backbone, size: int) -> None:
    flow = torch.zeros(2, 3, size, size)
    for stage in backbone.stages:
        flow = stage.module.eval()(flow)
    assert flow.shape == (2, backbone.feature_dim)
    assert flow.isfinite().all()
