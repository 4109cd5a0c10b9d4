"""The cache changes no byte of a run, whichever family the backbone is of, but for rounding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ftcore.engine.parts import RunParts
from ftcore.engine.storage import read_tensors
from ftcore.images.splits import ArraySplit
from tests.engine.features.test_feeds import counts, run_parts
from tests.engine.test_run import content, make_parts

from .models import create
from .test_families import CASES

EXAMPLES = {"train": 6, "val": 3, "test": 3}
SLOW = ("alexnet", "vgg11_bn", "swin_v2_t", "vit_b_16", "resnext50_32x4d", "efficientnet_v2_s")
ALIKE = ("mobilenet_v3_large", "regnet_x_400mf", "squeezenet1_0")  # cut as others are
# Squeeze-and-excitation convolves maps of one pixel: products that round by the size of the batch.
ROUNDING = ("mobilenet_v3_small", "regnet_y_400mf")
NAMES = [name for name, *_ in CASES if name not in SLOW + ALIKE]


def make_run(folder: Path, name: str, **options: Any) -> RunParts:
    """A run of a family, at random weights, on a dozen made-up images."""
    generator = torch.Generator().manual_seed(5)
    splits = {
        part: ArraySplit(
            torch.randint(256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8),
            torch.arange(count) % 3,
            [f"{part}/{index}" for index in range(count)],
        )
        for part, count in EXAMPLES.items()
    }
    size = {each: size for each, size, *_ in CASES}[name]
    torch.manual_seed(0)
    backbone = create(name, weights="none", image_size=size, input_shape=(32, 32))
    defaults = {"out": folder, "prefix": "plain", "batch_size": 3, "epochs": 1}
    parts = make_parts(**{**defaults, **options})
    return replace(parts, backbone=backbone, bundle=replace(parts.bundle, splits=splits))


@pytest.mark.parametrize("name", NAMES)
def test_the_cache_changes_no_byte(name: str, tmp_path: Path) -> None:
    off, on = (run_parts(make_run(tmp_path, name, cache=cache)) for cache in ("off", "disk"))
    assert counts(on[0]) == [(0, 12)]
    if name not in ROUNDING:
        assert content(off[1]) == content(on[1])
    ours, theirs = (read_tensors(path / "model.safetensors")[0] for _, path in (off, on))
    for key, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("freeze", ["bottom:2", "gradual:every=2", "lp-ft:probe_epochs=2"])
def test_nor_does_a_cut_inside_the_network(freeze: str, tmp_path: Path) -> None:
    off, on = (
        run_parts(make_run(tmp_path, "resnet18", cache=cache, freeze=freeze, epochs=3))
        for cache in ("off", "disk")
    )
    assert content(off[1]) == content(on[1])
    assert on[0].features
