"""What computes the statistics of a classifier: ftcore, plain torch, and the libraries at hand."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ftcore import ops
from ftcore.ops import classification

BINS = 15


@dataclass(frozen=True)
class Case:
    """Logits of `shape` with the classes at `dim`; one target in twenty is 255 if `ignores`."""

    shape: tuple[int, ...]
    dim: int = -1
    ignores: bool = False

    @property
    def classes(self) -> int:
        return self.shape[self.dim]

    @property
    def ignore_index(self) -> int | None:
        return 255 if self.ignores else None

    def batch(self, dtype: torch.dtype, device: str = "cpu") -> tuple[Tensor, Tensor]:
        generator = torch.Generator(device).manual_seed(0)
        logits = (3 * torch.randn(self.shape, generator=generator, device=device)).to(dtype)
        rows = logits.select(self.dim, 0).shape
        targets = torch.randint(self.classes, rows, generator=generator, device=device)
        if self.ignores:
            targets[torch.rand(rows, generator=generator, device=device) < 0.05] = 255
        return logits, targets


def same_statistics(logits: Tensor, targets: Tensor, dim: int, ignore: int | None) -> list[Tensor]:
    """Return what classification_statistics_ adds, as one would write it in torch."""
    classes = logits.size(dim)
    z = logits.float()
    scored = z.isfinite().all(dim)
    if ignore is not None:
        scored = scored & (targets != ignore)
    target = targets.where(scored, 0)
    log_p = z.log_softmax(dim)
    p = log_p.exp()
    nll = -log_p.gather(dim, target.unsqueeze(dim)).squeeze(dim)
    entropy = -(p * log_p).sum(dim)
    confidence, prediction = p.max(dim)
    p_target = p.gather(dim, target.unsqueeze(dim)).squeeze(dim)
    brier = p.square().sum(dim) - 2 * p_target + 1
    z_target = z.gather(dim, target.unsqueeze(dim))
    shape = [1] * z.dim()
    shape[dim] = classes
    before = torch.arange(classes, device=z.device).view(shape) < target.unsqueeze(dim)
    rank = ((z > z_target) | ((z == z_target) & before)).sum(dim)
    weight = scored.long().flatten()
    correct = (weight * (prediction == target).flatten()).flatten()
    bins = (confidence * BINS).long().clamp_max(BINS - 1).flatten()

    def count(index: Tensor, size: int, amount: Tensor) -> Tensor:
        zeros = torch.zeros(size, dtype=amount.dtype, device=amount.device)
        return zeros.scatter_add(0, index.flatten(), amount)

    sums = [(value.where(scored, 0.0)).double().sum() for value in (nll, brier, entropy)]
    confusion = (
        [count(target * classes + prediction, classes**2, weight)] if classes <= 1024 else []
    )
    return [
        *sums,
        weight.sum(),
        count(rank, classes, weight),
        count(target, classes, weight),
        count(prediction, classes, weight),
        count(target, classes, correct),
        count(bins, BINS, weight),
        count(bins, BINS, correct),
        count(bins, BINS, confidence.where(scored, 0.0).double().flatten()),
        *confusion,
    ]


Contestants = Iterator[tuple[str, Callable[[], object]]]


def contestants(case: Case, dtype: torch.dtype) -> Contestants:
    """Name what can run on this case, the slowest last; what is not installed is left out."""
    logits, targets = case.batch(dtype)
    yield from ours(case, logits, targets)
    words = logits.view(-1).view(torch.int64)
    yield "one read", words.sum
    yield from plain_torch(case, logits, targets)
    if dtype == torch.float32:
        yield from _libraries(case, logits, targets)


def plain_torch(case: Case, logits: Tensor, targets: Tensor) -> Contestants:
    """Name what torch alone does: the loss, and the same statistics."""
    ignore = case.ignore_index
    yield (
        "cross_entropy",
        lambda: torch.nn.functional.cross_entropy(
            logits.movedim(case.dim, 1), targets, ignore_index=-100 if ignore is None else ignore
        ),
    )
    torch._dynamo.reset()  # else it gives up after eight cases
    compiled = torch.compile(same_statistics, dynamic=False)
    yield "torch.compile", lambda: compiled(logits, targets, case.dim, ignore)
    yield "torch eager", lambda: same_statistics(logits, targets, case.dim, ignore)


def ours(case: Case, logits: Tensor, targets: Tensor) -> Contestants:
    """Name what ftcore has for the device of these logits."""
    state = ops.ClassificationLayout.of(case.classes, BINS).empty(device=logits.device)
    kernel = ops.cuda_kernel() if logits.is_cuda else ops.cpu_kernel()
    if kernel.is_native:
        yield (
            "ftcore native",
            lambda: ops.classification_statistics_(
                state, logits, targets, class_dim=case.dim, ignore_index=case.ignore_index
            ),
        )
    yield (
        "ftcore reference",
        lambda: classification.reference(
            state.counts,
            state.sums,
            logits,
            targets,
            class_dim=case.dim,
            ignore_index=case.ignore_index,
            confusion=state.layout.confusion,
        ),
    )


def _libraries(case: Case, logits: Tensor, targets: Tensor) -> Contestants:
    if importlib.util.find_spec("torchmetrics") is not None:
        yield "torchmetrics", _torchmetrics(case, logits, targets)
    if len(case.shape) > 2:
        return
    if importlib.util.find_spec("torcheval") is not None and case.classes <= 1024:
        yield "torcheval", _torcheval(case, logits, targets)
    if case.classes <= 1024:
        yield "scikit-learn", _scikit_learn(logits, targets)


def _torchmetrics(case: Case, logits: Tensor, targets: Tensor) -> Callable[[], object]:
    from torchmetrics import MetricCollection, classification

    options: dict[str, Any] = {"num_classes": case.classes, "ignore_index": case.ignore_index}
    metrics: dict[str, Any] = {
        "accuracy": classification.MulticlassAccuracy(**options, average="micro"),
        "top5": classification.MulticlassAccuracy(**options, average="micro", top_k=5),
        "calibration": classification.MulticlassCalibrationError(**options, n_bins=BINS),
    }
    if case.classes <= 1024:
        metrics["f1"] = classification.MulticlassF1Score(**options)
        metrics["confusion"] = classification.MulticlassConfusionMatrix(**options)
    collection = MetricCollection(metrics)

    def update() -> None:
        collection.reset()
        collection.update(logits, targets)

    return update


def _torcheval(case: Case, logits: Tensor, targets: Tensor) -> Callable[[], object]:
    from torcheval import metrics

    collection = [
        metrics.MulticlassAccuracy(),
        metrics.MulticlassAccuracy(k=5),
        metrics.MulticlassF1Score(num_classes=case.classes, average="macro"),
        metrics.MulticlassConfusionMatrix(case.classes),
    ]

    def update() -> None:
        for metric in collection:
            metric.reset()
            metric.update(logits, targets)

    return update


def _scikit_learn(logits: Tensor, targets: Tensor) -> Callable[[], object]:
    from sklearn import metrics

    t = targets.numpy()
    labels = np.arange(logits.size(-1))

    def compute() -> None:
        p = logits.softmax(-1).double().numpy()
        p /= p.sum(-1, keepdims=True)
        prediction = p.argmax(-1)
        metrics.log_loss(t, p, labels=labels)
        metrics.top_k_accuracy_score(t, p, k=5, labels=labels)
        metrics.confusion_matrix(t, prediction, labels=labels)
        metrics.f1_score(t, prediction, average="macro", labels=labels, zero_division=0)

    return compute
