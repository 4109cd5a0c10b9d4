"""The published weights get exactly as many images right as they do in their authors' code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ftcore_cifar_resnet
import pytest
import torch

from ftcore import Backbone

# Of the first 1,000 test images of CIFAR-10: as they are, and as JPEG files of quality 75.
RIGHT = {
    "resnet20-12fca82f.th": (915, 808),
    "resnet32-d509ac18.th": (928, 842),
    "resnet44-014dd654.th": (933, 825),
    "resnet56-4bfd9763.th": (926, 828),
}
FOLDERS = ("test1000-png", "test1000-jpeg75")


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, marks=[pytest.mark.slow] if index else [])
        for index, file in enumerate(RIGHT)
    ],
)
def test_published_weights_reach_their_accuracy(shared_data: Path, file: str) -> None:
    registered: dict[str, Callable[..., Backbone]] = {}
    ftcore_cifar_resnet.register_backbones(registered.__setitem__)
    path = shared_data / "weights" / "cifar10-resnet" / file
    backbone = registered[file.partition("-")[0]](weights=str(path))
    assert (backbone.weights.training_data, backbone.weights.licence) == (
        "CIFAR-10",
        "BSD-2-Clause",
    )
    lossless, jpeg = (
        count_right(backbone, shared_data / "cifar10-subset" / folder) for folder in FOLDERS
    )
    # JPEG decoders may differ by a grey level.
    assert lossless == RIGHT[file][0]
    assert abs(jpeg - RIGHT[file][1]) <= 1


def count_right(backbone: Backbone, folder: Path) -> int:
    """Return how many images in `folder`, which has a folder for each class, are told right."""
    assert backbone.head is not None
    right = images = 0
    with torch.inference_mode():
        for index, name in enumerate(backbone.classes):
            raw = [image for _, image in backbone.preprocess.read(folder / name)]
            flow = backbone.preprocess(raw)
            for stage in backbone.stages:
                flow = stage.module(flow)
            right += int((backbone.head(flow).argmax(1) == index).sum())
            images += len(raw)
    assert images == 1000
    return right
