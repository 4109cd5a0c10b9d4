"""fastai: its own image loaders, and vision_learner with a frozen body and a linear head."""

from __future__ import annotations

import torch
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from fastai.vision.augment import Resize
from fastai.vision.core import imagenet_stats
from fastai.vision.data import ImageDataLoaders, Normalize
from fastai.vision.learner import vision_learner
from torch import nn
from torchvision import models

from benchmarks.finetune.job import Fit, Job


def prepare(job: Job) -> Fit:
    """Leave `train_bn` as it is by default: the BatchNorm layers of the frozen body train."""
    return _prepare(job, trains_batchnorm=True)


def prepare_without_batchnorm(job: Job) -> Fit:
    """Train the head alone; the running averages of BatchNorm go on moving."""
    return _prepare(job, trains_batchnorm=False)


def _prepare(job: Job, *, trains_batchnorm: bool) -> Fit:
    torch.manual_seed(job.seed)
    loaders = ImageDataLoaders.from_folder(
        job.folder,
        train="train",
        valid="test",
        item_tfms=Resize(job.size),
        batch_tfms=Normalize.from_stats(*imagenet_stats),
        bs=job.batch,
        device=torch.device("cpu"),
    )
    pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    learner = vision_learner(
        loaders,
        models.resnet18,
        pretrained=False,
        custom_head=nn.Sequential(*pool, nn.Linear(512, job.classes)),
        loss_func=CrossEntropyLossFlat(),
        metrics=accuracy,
        lr=job.rate,
        wd=job.weight_decay,  # of fastai's Adam, which is AdamW
        train_bn=trains_batchnorm,
    )
    backbone = models.resnet18()
    backbone.load_state_dict(torch.load(job.weights, weights_only=True))
    learner.model[0].load_state_dict(nn.Sequential(*list(backbone.children())[:-2]).state_dict())
    learner.freeze()

    def fit() -> float:
        with learner.no_logging():
            learner.fit(job.epochs)
        return float(learner.recorder.values[-1][-1])

    return fit
