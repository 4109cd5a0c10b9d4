"""A frozen prefix made fast: the function its stages compute, with less work.

A frozen prefix runs once over every example and nothing in it trains. So a copy of it may have its
BatchNorms folded away and its images laid out as the processor likes them, while the stages
themselves, which are hashed, exported and evaluated, stay as they are.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ftcore.engine.batches import to_device
from ftcore.engine.device import Machine
from ftcore.engine.folding import fold_
from ftcore.errors import ConfigError
from ftcore.interfaces import Inputs

WAYS = ("auto", "plain", "folded", "compiled")

# In fp32 folding moves the outputs by some 1e-6 of the largest. A hundred times that is not
# rounding: the trace of a stage was not what the stage does, or its BatchNorms amplify too much.
TOLERANCE = 1e-4
GPU_TOLERANCE = 1e-2  # there, convolutions in fp32 round their inputs to TF32's ten bits

# Numbers of input that a thread computes on at a time. With fewer the calls cost more than the
# work, with more the maps of a layer leave the caches, and malloc maps new pages for each.
INPUTS_PER_THREAD = 2**20 * 5 // 4  # eight images of 224 x 224
GPU_SHARE = 16  # a GPU computes on as much as so many threads
SMALLEST_BATCH, LARGEST_BATCH = 8, 256
OTHER_BATCH = 32  # of inputs that are not images, whose size says little about their maps'

_ROUNDED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


@dataclass(frozen=True)
class FastPrefix:
    """The frozen stages, ready to be called; gradients do not reach them.

    `machine` says where, in which arithmetic and in which layout they compute. `difference` is the
    largest absolute difference to the stages themselves in fp32 on the probe, as a fraction of
    their largest output. `dtype` is that of the outputs: bfloat16 where the arithmetic ends in it,
    since as float32 they would hold nothing more. `seconds` is the time of one example. `note` says
    why the stages are plain though "auto" asked for more.
    """

    call: Callable[[Inputs], Any]
    machine: Machine
    how: str
    batch_size: int
    folded: tuple[str, ...] = ()
    difference: float = 0.0
    dtype: torch.dtype = torch.float32
    seconds: float = 0.0
    note: str = ""

    def __call__(self, inputs: Inputs) -> Tensor:
        """Return the outputs (N, ...) of a batch, on the device."""
        machine = self.machine
        # Not in inference mode: nothing could be trained on what it returns, and it is no faster.
        with torch.no_grad(), machine.autocast():
            output = self.call(to_device(inputs, machine.device, machine.layout))
        if not isinstance(output, Tensor):
            kind = type(output).__name__
            raise ConfigError(f"the frozen stages return {kind}, not one tensor; use --cache off")
        return output

    def describe(self) -> Mapping[str, Any]:
        """Return as JSON values all that decides the outputs to their last digit, but the host."""
        return {
            "how": self.how,
            "folded": list(self.folded),
            "layout": str(self.machine.layout).removeprefix("torch."),
            "precision": self.machine.precision,
            "dtype": str(self.dtype).removeprefix("torch."),
            "compiled": self.how == "compiled",
            "batch_size": self.batch_size,
        }


def accelerate(prefix: nn.Sequential, machine: Machine, how: str, probe: Inputs) -> FastPrefix:
    """Return a function that computes what `prefix`, which is in eval mode, computes.

    "plain" calls the stages themselves; "folded" a copy with its BatchNorms folded and images in
    channels_last; "compiled" a compiled such copy; "auto" is "folded", or "plain" where folding
    changes the outputs by more than rounding. `probe` is a batch of a few inputs.
    Raises ConfigError for a way that does not exist or that this prefix or machine cannot go.
    """
    if how not in WAYS:
        raise ConfigError(f"a prefix cannot be computed {how!r}; choose from {', '.join(WAYS)}")
    plain = FastPrefix(prefix, machine, "plain", choose_batch_size(probe, machine.device))
    reference = _in_fp32(plain)(probe)
    if how == "plain":
        return _measured(plain, probe, reference)
    try:
        fast = _fold(plain, prefix, probe, reference)
    except ConfigError as error:
        if how != "auto":
            raise
        return _measured(replace(plain, note=str(error)), probe, reference)
    fast = _round_weights(fast, probe)
    return _measured(_compile(fast, probe) if how == "compiled" else fast, probe, reference)


def choose_batch_size(probe: Inputs, device: torch.device) -> int:
    """Return how many examples are computed fastest at a time: a power of two."""
    if not isinstance(probe, Tensor) or probe.ndim != 4:
        return OTHER_BATCH
    shares = torch.get_num_threads() if device.type == "cpu" else GPU_SHARE
    fitting = max(1, shares * INPUTS_PER_THREAD // max(1, probe[0].numel()))
    return min(max(SMALLEST_BATCH, 1 << (fitting.bit_length() - 1)), LARGEST_BATCH)


def _in_fp32(prefix: FastPrefix) -> FastPrefix:
    return replace(prefix, machine=replace(prefix.machine, precision="fp32"))


def _fold(plain: FastPrefix, prefix: nn.Sequential, probe: Inputs, reference: Tensor) -> FastPrefix:
    """Return a folded copy; ConfigError where it cannot be had, or computes something else."""
    machine = replace(plain.machine, layout=torch.channels_last)
    try:
        fast = copy.deepcopy(prefix).eval().requires_grad_(False)
        names = fold_(fast, to_device(probe, machine.device, plain.machine.layout))
        fast = fast.to(memory_format=torch.channels_last)
        folded = replace(plain, call=fast, machine=machine, how="folded", folded=names)
        difference = _difference(_in_fp32(folded)(probe), reference)
    except Exception as error:  # of a stranger's stage that bears no copy, or misses its norms
        reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        raise ConfigError(
            f"the frozen stages fail once they are copied and folded ({reason}); compute them plain"
        ) from error
    tolerance = TOLERANCE if machine.device.type == "cpu" else GPU_TOLERANCE
    if not difference <= tolerance:  # NaN is not either
        raise ConfigError(
            f"folding BatchNorms changes the outputs of the frozen stages by {difference:.1g} of "
            f"the largest, more than {tolerance:.0e}; compute them plain"
        )
    return folded


def _round_weights(folded: FastPrefix, probe: Inputs) -> FastPrefix:
    """Round once the weights that autocast would round at every call.

    Casting whole modules would round what autocast keeps in fp32, such as LayerNorm.
    """
    if folded.machine.dtype == torch.float32:
        return folded
    module = copy.deepcopy(folded.call)
    assert isinstance(module, nn.Module)
    for layer in module.modules():
        if type(layer) in _ROUNDED:
            layer.to(folded.machine.dtype)
    rounded = replace(folded, call=module)
    try:
        is_same = torch.equal(rounded(probe), folded(probe))
    except RuntimeError:  # a stage that leaves autocast for a while, or reads weights itself
        is_same = False
    return rounded if is_same else folded


def _compile(folded: FastPrefix, probe: Inputs) -> FastPrefix:
    compiled = torch.compile(folded.call, dynamic=False, options={"freezing": True})
    fast = replace(folded, call=_Padded(compiled, folded.batch_size), how="compiled")
    try:
        fast(probe)
    except Exception as error:  # of the compiler, of the C++ compiler it calls, or its absence
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"the frozen stages cannot be compiled: {reason}; compute them folded"
        ) from error
    return fast


@dataclass(frozen=True)
class _Padded:
    """Calls with whole batches, since a compiled function serves one shape."""

    function: Callable[[Inputs], Any]
    size: int

    def __call__(self, inputs: Inputs) -> Any:
        count = _length(inputs)
        if count >= self.size:
            return self.function(inputs)
        return self.function(_pad(inputs, self.size - count))[:count]


def _pad(inputs: Inputs, more: int) -> Inputs:
    if isinstance(inputs, Tensor):
        return torch.cat([inputs, inputs[-1:].expand(more, *inputs.shape[1:])])
    if isinstance(inputs, dict):
        return {key: _pad(value, more) for key, value in inputs.items()}
    return type(inputs)(_pad(value, more) for value in inputs)


def _length(inputs: Inputs) -> int:
    while not isinstance(inputs, Tensor):
        inputs = next(iter(inputs.values() if isinstance(inputs, dict) else inputs))
    return len(inputs)


def _measured(fast: FastPrefix, probe: Inputs, reference: Tensor) -> FastPrefix:
    start = time.perf_counter()
    output = fast(probe).cpu()  # waits for the device
    seconds = (time.perf_counter() - start) / _length(probe)
    difference = _difference(output, reference)
    return replace(fast, difference=difference, dtype=output.dtype, seconds=seconds)


def _difference(output: Tensor, reference: Tensor) -> float:
    """Return the largest difference by the largest of the reference; NaN where one holds NaN."""
    expected = reference.double().cpu()
    largest = expected.abs().max().item()
    return (output.double().cpu() - expected).abs().max().item() / (largest or 1.0)
