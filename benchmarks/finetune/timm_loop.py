"""timm: its model, loaders, `freeze` and optimizer, in a loop in the manner of its train.py."""

from __future__ import annotations

import os
from typing import Any

import timm
import torch
from timm.data import create_dataset, create_loader
from timm.optim import create_optimizer_v2
from timm.utils import AverageMeter, accuracy, freeze
from torch import nn

from benchmarks.finetune.job import IMAGENET_MEAN, IMAGENET_STD, Fit, Job


def prepare(job: Job) -> Fit:
    """Freeze all but the classifier with timm's `freeze`, which fixes BatchNorm too."""
    timm.utils.random_seed(job.seed)
    model = timm.create_model("resnet18", num_classes=job.classes)
    state = torch.load(job.weights, weights_only=True)
    model.load_state_dict({**state, **model.get_classifier().state_dict(prefix="fc.")})
    freeze(model, [name for name, _ in model.named_children() if name != "fc"])
    optimizer = create_optimizer_v2(model, opt="adamw", lr=job.rate, weight_decay=job.weight_decay)
    train, test = _loader(job, "train"), _loader(job, "test")
    loss = nn.CrossEntropyLoss()

    def fit() -> float:
        score = 0.0
        for _ in range(job.epochs):
            _train(model, train, optimizer, loss)
            score = _validate(model, test)
        return score

    return fit


def _loader(job: Job, part: str) -> Any:
    return create_loader(
        create_dataset("", root=str(job.folder), split=part),
        input_size=(3, job.size, job.size),
        batch_size=job.batch,
        is_training=part == "train",
        no_aug=True,
        mean=tuple(IMAGENET_MEAN),
        std=tuple(IMAGENET_STD),
        num_workers=os.cpu_count() or 1,
        device=torch.device("cpu"),
    )


def _train(model: Any, loader: Any, optimizer: torch.optim.Optimizer, loss: nn.Module) -> None:
    model.train()
    losses = AverageMeter()
    for images, labels in loader:
        optimizer.zero_grad()
        value = loss(model(images), labels)
        value.backward()
        optimizer.step()
        losses.update(value.item(), len(labels))


def _validate(model: Any, loader: Any) -> float:
    model.eval()
    top1 = AverageMeter()
    with torch.no_grad():
        for images, labels in loader:
            (percent,) = accuracy(model(images), labels)
            top1.update(percent.item(), len(labels))
    return float(top1.avg) / 100
