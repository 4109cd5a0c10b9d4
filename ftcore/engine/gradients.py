"""Gradients of a backbone's parameters before training, for strategies that decide by them.

The head is trained a little first, on examples that the gradients are not of: through random
weights comes noise, and on examples that the head fits already there is little left to say.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from ftcore.engine.batches import RawSource, load_batches, to_device, training_order
from ftcore.engine.device import Machine, deterministic
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import Gradients, Inputs, Loss

BATCHES = 5  # that are measured on, as in Lee et al. 2023, and as many for the head
PROBE_STEPS = 100
PROBE_RATE = 1e-2  # at which a head alone is trained as well

Examples = tuple[Inputs, Tensor]


def measure_gradients(
    parts: RunParts, model: nn.Sequential, source: RawSource, machine: Machine, observer: Observer
) -> Gradients:
    """Return the gradients that `ftcore.GradientStrategy` describes; the model comes out as it was.

    They depend on the configuration and the training part alone. `source` is that part. Arithmetic
    is fp32, whatever the run's is. A training part too small for other batches probes the head on
    those that are measured. Modules are in eval mode afterwards, and every parameter trains.
    """
    config = parts.config
    order = training_order(len(source.targets), config.batch_size, config.seed, 0)[: 2 * BATCHES]
    half = len(order) // 2
    probing, measuring = order[:half] or order, order[half:]
    loss = parts.task.build_loss(parts.bundle)
    model.eval().requires_grad_(True)
    observer.step_started("gradients", len(probing) + len(measuring), "batches")
    with deterministic():
        batches = _load(source, probing, machine, observer)
        head = _probe(model, batches, loss)
        batches = _load(source, measuring, machine, observer)
        squares = _squares(nn.Sequential(*model[:-1], head), _names(model), batches, loss)
    observer.step_finished()
    norms = {name: math.sqrt(total / len(measuring)) for name, total in squares.items()}
    if not all(map(math.isfinite, norms.values())):
        wrong = next(name for name, norm in norms.items() if not math.isfinite(norm))
        raise NumericalError(
            f"the gradient of {wrong!r} is not finite before training; look at the weights and the "
            "training examples, or choose a --freeze that needs no gradients"
        )
    sizes = {name: _norm(parameter) for name, parameter in model.named_parameters()}
    return Gradients(norms, {name: sizes[name] for name in norms}, sum(map(len, measuring)))


def _load(
    source: RawSource, order: Sequence[Sequence[int]], machine: Machine, observer: Observer
) -> Iterator[Examples]:
    for batch in load_batches(source, order):
        if observer.should_stop():
            raise StoppedError("Stopped while gradients were measured, before training")
        inputs = to_device(batch.inputs, machine.device, machine.layout)
        yield inputs, batch.targets.to(machine.device)
        observer.advanced(1)


def _probe(model: nn.Sequential, batches: Iterator[Examples], loss: Loss) -> nn.Module:
    """Return a copy of the head, trained on the features of the batches over and over."""
    with torch.no_grad():
        features = [(model[:-1](inputs), targets) for inputs, targets in batches]
    head = copy.deepcopy(model[-1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=PROBE_RATE)
    for step in range(PROBE_STEPS):
        inputs, targets = features[step % len(features)]
        optimizer.zero_grad(set_to_none=True)
        loss(head(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return head


def _names(model: nn.Sequential) -> list[str]:
    return [name for name, _ in model.named_parameters() if not name.startswith("head.")]


def _squares(
    model: nn.Sequential, names: Sequence[str], batches: Iterator[Examples], loss: Loss
) -> dict[str, float]:
    """Return for each parameter below the head the sum over batches of its gradient's square."""
    parameters = list(model[:-1].parameters())
    totals = dict.fromkeys(names, 0.0)
    for inputs, targets in batches:
        value = loss(model(inputs), targets)
        gradients = torch.autograd.grad(value, parameters, allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            totals[name] += 0.0 if gradient is None else _norm(gradient) ** 2
    return totals


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor.detach(), dtype=torch.float64))
