"""The classic recipe in plain PyTorch: freeze a pretrained network, train a new last layer.

An independent script to hold ftcore against; it shares no code with it. FOLDER holds train/ and
test/ folders of class folders. With --batchnorm train, as most tutorials have it, the frozen
network's BatchNorm layers go on moving; with eval they are fixed, as in ftcore.

    python benchmarks/classic_recipe.py FOLDER --arch resnet18 --weights FILE --batchnorm eval
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms


def build(arch: str, weights: Path, classes: int) -> tuple[nn.Module, nn.Linear]:
    model = models.get_model(arch, weights=None)
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.requires_grad_(False)
    holder, name = (model, "fc") if hasattr(model, "fc") else (model.classifier, "1")
    head = nn.Linear(getattr(holder, name).in_features, classes)
    setattr(holder, name, head)
    return model, head


def accuracy(model: nn.Module, loader: DataLoader[tuple[torch.Tensor, torch.Tensor]]) -> float:
    model.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in loader:
            right += int((model(images).argmax(1) == labels).sum())
            total += len(labels)
    return right / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--batchnorm", choices=["eval", "train"], default="eval")
    parser.add_argument("--resize", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    steps = [transforms.Resize(options.resize), transforms.CenterCrop(224), transforms.ToTensor()]
    normalise = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    transform = transforms.Compose([*steps, normalise])
    train, test = (
        datasets.ImageFolder(options.folder / part, transform) for part in ("train", "test")
    )
    model, head = build(options.arch, options.weights, len(train.classes))
    optimizer = torch.optim.SGD(head.parameters(), lr=0.001, momentum=0.9)
    start = time.perf_counter()
    for _ in range(options.epochs):
        model.train(options.batchnorm == "train")
        for images, labels in DataLoader(train, batch_size=100, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    seconds = time.perf_counter() - start
    score = accuracy(model, DataLoader(test, batch_size=100))
    print(json.dumps(vars(options) | {"accuracy": score, "train_seconds": seconds}, default=str))


if __name__ == "__main__":
    main()
