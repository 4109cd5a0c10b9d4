"""What a training step costs in arithmetic: the same number on every machine, unlike its time."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from ftcore.engine.batches import RawSource, to_device
from ftcore.engine.model import assemble
from ftcore.engine.parts import RunParts

if TYPE_CHECKING:
    from torch.utils.flop_counter import FlopCounterMode

COUNTED = 2  # examples; BatchNorm cannot normalise one


@contextlib.contextmanager
def counting_flops() -> Iterator[FlopCounterMode]:
    """Count the floating-point operations of products of matrices and of convolutions.

    Attention in one operator is not counted on every device; here it is made of its products.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def training_flops(parts: RunParts, frozen: int, cached: int) -> int:
    """Return the floating-point operations of training on one example, forward and backward.

    The lowest `frozen` stages get no gradient, and what the lowest `cached` of them compute is
    there already. A multiplication and an addition are two operations; products of matrices and
    convolutions are counted, all else is little beside them.
    """
    head = parts.task.build_head(parts.backbone, parts.bundle)
    # A copy: a forward pass in training mode moves the statistics of BatchNorm.
    model = copy.deepcopy(assemble(parts.backbone, head)).cpu()
    for index, module in enumerate(model):
        module.requires_grad_(index >= frozen).train(index >= frozen)
    split = parts.bundle.splits["train"]
    source = RawSource(split, parts.backbone.preprocess, parts.config.seed)
    indices = range(min(COUNTED, len(split)))
    inputs = to_device(source.load(indices, 0), torch.device("cpu"), torch.contiguous_format)
    targets = split.targets[torch.as_tensor(indices)]
    with torch.no_grad():
        inputs = model[:cached](inputs)
    loss = parts.task.build_loss(parts.bundle)
    with counting_flops() as counter:
        loss(model[cached:](inputs), targets).backward()  # type: ignore[no-untyped-call]
    return int(counter.get_total_flops()) // len(indices)
