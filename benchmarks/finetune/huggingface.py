"""Hugging Face: transformers' own ResNet and its Trainer, with torchvision's folders of images.

As in the guide to image classification, whose `datasets` library gives way to torchvision here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import (
    PrinterCallback,
    ResNetConfig,
    ResNetForImageClassification,
    Trainer,
    TrainingArguments,
)

from benchmarks.finetune.job import Fit, Job
from benchmarks.finetune.plain import image_folders

NAMES = (  # of torchvision, and of transformers
    (r"^conv1\.", "embedder.embedder.convolution."),
    (r"^bn1\.", "embedder.embedder.normalization."),
    (r"^layer(\d)\.(\d)\.", lambda found: f"encoder.stages.{int(found[1]) - 1}.layers.{found[2]}."),
    (r"\.downsample\.0\.", ".shortcut.convolution."),
    (r"\.downsample\.1\.", ".shortcut.normalization."),
    (r"\.conv(\d)\.", lambda found: f".layer.{int(found[1]) - 1}.convolution."),
    (r"\.bn(\d)\.", lambda found: f".layer.{int(found[1]) - 1}.normalization."),
)


def prepare(job: Job) -> Fit:
    """Freeze the base model by `requires_grad`, and let the Trainer do the rest."""
    train, test = image_folders(job)
    model = _build(job)
    for parameter in model.base_model.parameters():
        parameter.requires_grad = False
    arguments = TrainingArguments(
        output_dir=str(job.scratch),
        num_train_epochs=job.epochs,
        per_device_train_batch_size=job.batch,
        per_device_eval_batch_size=job.batch,
        learning_rate=job.rate,
        weight_decay=job.weight_decay,
        lr_scheduler_type="constant",
        eval_strategy="epoch",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=True,
        seed=job.seed,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=test,
        data_collator=_collate,
        compute_metrics=_accuracy,
    )
    trainer.remove_callback(PrinterCallback)

    def fit() -> float:
        trainer.train()
        scores = [row["eval_accuracy"] for row in trainer.state.log_history if "eval_loss" in row]
        return float(scores[-1])

    return fit


def _build(job: Job) -> Any:
    torch.manual_seed(job.seed)
    sizes = [64, 128, 256, 512]
    config = ResNetConfig(
        depths=[2, 2, 2, 2], hidden_sizes=sizes, layer_type="basic", num_labels=job.classes
    )
    model = ResNetForImageClassification(config)
    state = torch.load(job.weights, weights_only=True)
    model.resnet.load_state_dict(
        {_rename(name): tensor for name, tensor in state.items() if not name.startswith("fc.")}
    )
    return model


def _rename(name: str) -> str:
    for pattern, replacement in NAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _collate(examples: Sequence[tuple[Tensor, int]]) -> dict[str, Tensor]:
    images, labels = zip(*examples, strict=True)
    return {"pixel_values": torch.stack(images), "labels": torch.tensor(labels)}


def _accuracy(prediction: Any) -> dict[str, float]:
    right = np.argmax(prediction.predictions, axis=1) == prediction.label_ids
    return {"accuracy": float(right.mean())}
