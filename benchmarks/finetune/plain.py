"""Plain PyTorch: the script of the classic recipe, evaluated after every epoch."""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.classic_recipe import accuracy, build
from benchmarks.finetune.job import IMAGENET_MEAN, IMAGENET_STD, Fit, Job


def prepare(job: Job) -> Fit:
    """Leave BatchNorm in train mode, as `model.train()` of most tutorials does."""
    return _prepare(job, moves=True)


def prepare_in_eval_mode(job: Job) -> Fit:
    """Keep the frozen network in eval mode."""
    return _prepare(job, moves=False)


def _prepare(job: Job, *, moves: bool) -> Fit:
    torch.manual_seed(job.seed)
    train, test = image_folders(job)
    train_loader = DataLoader(train, batch_size=job.batch, shuffle=True)
    test_loader = DataLoader(test, batch_size=job.batch)
    model, head = build(job.arch, job.weights, job.classes)
    optimizer = torch.optim.AdamW(head.parameters(), lr=job.rate, weight_decay=job.weight_decay)

    def fit() -> float:
        score = 0.0
        for _ in range(job.epochs):
            model.train(moves)
            for images, labels in train_loader:
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(images), labels).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            score = accuracy(model, test_loader)
        return score

    return fit


def image_folders(job: Job) -> tuple[datasets.ImageFolder, datasets.ImageFolder]:
    """Return torchvision's datasets of the images to train and to test on."""
    transform = transforms.Compose(
        [
            transforms.Resize(job.size * 256 // 224),
            transforms.CenterCrop(job.size),
            transforms.ToTensor(),
            transforms.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )
    return (
        datasets.ImageFolder(job.folder / "train", transform),
        datasets.ImageFolder(job.folder / "test", transform),
    )
