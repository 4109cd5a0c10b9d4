"""One pass over a part of the data: outputs go into additive statistics and are let go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftcore.engine.batches import CachedSource, Source, load_batches, sequential_order, to_device
from ftcore.engine.device import Machine
from ftcore.engine.needs import needs_of
from ftcore.engine.observer import Observer
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import DataBundle, Inputs, Loss, Metric, Statistics, Task

RAW_BATCH = 64
FEATURE_BATCH = 1024
SMALL_ROW = 2**15  # bytes


@dataclass(frozen=True)
class Evaluator:
    """Scores a model on a part, for one task and the metrics asked of it."""

    task: Task
    bundle: DataBundle
    metrics: Sequence[Metric]
    machine: Machine
    workers: int = 0

    def statistics(
        self,
        model: nn.Module,
        source: Source,
        observer: Observer,
        loss: Loss | None = None,
        watch: Callable[[Inputs, Tensor], None] | None = None,
    ) -> tuple[Statistics, float | None]:
        """Return the statistics of every example, each once, and the mean loss where asked for.

        `watch` sees the outputs and the targets of each batch, in order.
        Raises NumericalError, naming the first example, where outputs are not finite.
        """
        needs = needs_of(self.metrics)
        statistics = self.task.statistics(self.bundle, needs)
        size = _batch_size(source)
        total = 0.0
        model.eval()
        with torch.no_grad():
            for batch in load_batches(
                source, sequential_order(len(source.targets), size), workers=self.workers
            ):
                inputs = to_device(batch.inputs, self.machine.device, self.machine.layout)
                targets = batch.targets.to(self.machine.device)
                with self.machine.autocast():
                    outputs = model(inputs)
                    if loss is not None:
                        total += float(loss(outputs, targets)) * len(batch.indices)
                _check_finite(outputs, batch.indices, source)
                self.task.update_(statistics, outputs, targets)
                if watch is not None:
                    watch(outputs, targets)
                observer.advanced(len(batch.indices))
                if observer.should_stop():
                    raise StoppedError("Stopped during evaluation")
        return statistics, None if loss is None else total / len(source.targets)

    def values(self, statistics: Statistics) -> dict[str, float]:
        """Return each metric's value, NaN where it is undefined."""
        return {metric.name: float(metric.compute(statistics)) for metric in self.metrics}


def standing(metric: Metric, value: float | None, loss: float | None) -> tuple[float, float]:
    """Return what is larger for the better epoch: the score first, the lower loss where it ties.

    An undefined value (None) is below all others.
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    score = float("-inf") if value is None else sign * value
    return score, float("-inf") if loss is None else -loss


def _batch_size(source: Source) -> int:
    # Feature vectors are small; maps from inside a network may be larger than images.
    is_small = isinstance(source, CachedSource) and source.features.row_bytes <= SMALL_ROW
    return FEATURE_BATCH if is_small else RAW_BATCH


def not_finite(output: Tensor, indices: Sequence[int], ids: Sequence[str]) -> list[str]:
    """Return the ids of the examples whose part of a batch's output (N, ...) is not finite.

    `indices` says which examples the batch holds.
    """
    finite = torch.isfinite(output).flatten(1).all(dim=1)
    if bool(finite.all()):
        return []
    return [ids[indices[place]] for place in (~finite).nonzero().flatten().tolist()]


def _check_finite(outputs: object, indices: Sequence[int], source: Source) -> None:
    tensors = outputs.values() if isinstance(outputs, Mapping) else [outputs]
    for tensor in tensors:
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            continue
        bad = not_finite(tensor, indices, source.ids)
        if bad:
            raise NumericalError(
                f"the model's outputs are not finite for {len(bad)} of {len(indices)} examples, "
                f"the first is {bad[0]!r}; a lower --lr or --precision fp32 usually helps"
            )
