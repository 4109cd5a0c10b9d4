"""Lightning: a module with a frozen feature extractor, as its page on transfer learning has it."""

from __future__ import annotations

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import models

from benchmarks.finetune.job import Fit, Job
from benchmarks.finetune.plain import image_folders


class TransferLearning(lightning.LightningModule):
    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        backbone = models.resnet18()
        backbone.load_state_dict(torch.load(job.weights, weights_only=True))
        self.feature_extractor = nn.Sequential(*list(backbone.children())[:-1])
        self.feature_extractor.requires_grad_(False)
        self.feature_extractor.eval()
        self.classifier = nn.Linear(backbone.fc.in_features, job.classes)

    def forward(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.feature_extractor(images).flatten(1)
        logits: Tensor = self.classifier(features)
        return logits

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(self(images), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> None:
        images, labels = batch
        right = (self(images).argmax(1) == labels).float().mean()
        self.log("accuracy", right, on_epoch=True, batch_size=len(labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        rate, decay = self.job.rate, self.job.weight_decay
        return torch.optim.AdamW(self.classifier.parameters(), lr=rate, weight_decay=decay)


def prepare(job: Job) -> Fit:
    """Make the module and the Trainer, without loggers and checkpoints."""
    lightning.seed_everything(job.seed, verbose=False)
    train, test = image_folders(job)
    train_loader = DataLoader(train, batch_size=job.batch, shuffle=True)
    test_loader = DataLoader(test, batch_size=job.batch)
    module = TransferLearning(job)
    trainer = lightning.Trainer(
        max_epochs=job.epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )

    def fit() -> float:
        trainer.fit(module, train_loader, test_loader)
        return float(trainer.callback_metrics["accuracy"])

    return fit
