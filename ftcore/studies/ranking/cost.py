"""What a backbone costs to use: operations, time and memory of its forward pass."""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from ftcore.engine.batches import Source, to_device
from ftcore.engine.device import Machine
from ftcore.engine.flops import counting_flops
from ftcore.interfaces import Inputs
from ftcore.record import CostRecord, LatencyRecord
from ftcore.studies.ranking.tensors import Watch

BATCH = 16
ROUNDS = 30  # of a forward pass, at most
LEAST_ROUNDS = 3
PATIENCE = 1.0  # seconds after which no further round begins

# Operators that move numbers, or make room for them.
_MOVES = {f"aten.{name}" for name in ("_unsafe_view", "cat", "clone", "copy_", "empty", "roll")}


def measure_cost(stages: nn.Sequential, source: Source, machine: Machine) -> CostRecord:
    """Return what the stages, called as they are, cost on examples of `source`.

    FLOPs are those of matrix products and convolutions, a multiplication and an addition being
    two; operators that torch has no count for are named. Time and memory are of a batch of up to
    16, time also of one example alone, without reading and preprocessing.
    """
    stages.eval()
    count = min(BATCH, len(source.targets))
    one, batch = (
        to_device(source.load(range(size), 0), machine.device, machine.layout)
        for size in (1, count)
    )
    with torch.no_grad(), machine.autocast():
        flops, uncounted = count_flops(stages, one)
        memory, method = measure_memory(stages, batch, machine)
        return CostRecord(
            parameters=sum(parameter.numel() for parameter in stages.parameters()),
            flops=flops,
            uncounted=uncounted,
            one=measure_latency(stages, one, 1, machine),
            batch=measure_latency(stages, batch, count, machine),
            memory_bytes=memory,
            memory_method=method,
            threads=torch.get_num_threads(),
            device=str(machine.device),
        )


def count_flops(module: nn.Module, inputs: Inputs) -> tuple[int, tuple[str, ...]]:
    """Return the FLOPs of a call, and the operators in it that computed but were not counted."""
    from torch.utils.flop_counter import flop_registry

    counted = {str(operator) for operator in flop_registry}
    with Watch(()) as watch, counting_flops() as counter:
        module(inputs)
    return counter.get_total_flops(), tuple(sorted(watch.operators - counted - _MOVES))


def measure_memory(module: nn.Module, inputs: Inputs, machine: Machine) -> tuple[int, str]:
    """Return the peak of memory of a call in bytes, weights and inputs included, and what it is."""
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)
        torch.cuda.reset_peak_memory_stats(machine.device)
        module(inputs)
        torch.cuda.synchronize(machine.device)
        return torch.cuda.max_memory_allocated(machine.device), "allocated on the GPU"
    leaves = [leaf for leaf in tree_leaves(inputs) if isinstance(leaf, Tensor)]
    given = [*module.parameters(), *module.buffers(), *leaves]
    with Watch(given) as watch:
        module(inputs)
    return watch.peak, "tensors alive at once; without memory within an operator"


def measure_latency(
    module: nn.Module, inputs: Inputs, count: int, machine: Machine
) -> LatencyRecord:
    """Return the median wall time of a call on `count` inputs, after one that is not timed."""
    _call(module, inputs, machine)
    times: list[float] = []
    while len(times) < LEAST_ROUNDS or (len(times) < ROUNDS and sum(times) < PATIENCE):
        start = time.perf_counter()
        _call(module, inputs, machine)
        times.append(time.perf_counter() - start)
    low, median, high = statistics.quantiles(times, n=4)
    return LatencyRecord(examples=count, seconds=median, low=low, high=high, rounds=len(times))


def _call(module: nn.Module, inputs: Inputs, machine: Machine) -> None:
    module(inputs)
    if machine.device.type == "cuda":
        torch.cuda.synchronize(machine.device)
