"""The ops with columns on a GPU: against their oracles, on any stream, in a graph, no host sync."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from ftcore import DataError, ops
from ftcore.ops.layout import State
from tests.ops import test_multilabel, test_regression
from tests.ops.test_column_ops import ColumnOp, assert_same, both

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("gpu_kernel")]

CPU = torch.device("cpu")
# Few and many columns; one chunk of rows, and several.
SHAPES = [(1, 1), (20000, 1), (5000, 3), (700, 32), (700, 33), (40, 1100)]


def regression(
    outputs: Tensor, targets: Tensor, weights: Tensor | None = None, center: float = 0.0
) -> ops.RegressionState:
    """Return the statistics of a batch, computed on the GPU, back on the CPU."""
    state = ops.RegressionLayout(outputs.size(-1), center).empty(device="cuda")
    times = None if weights is None else weights.cuda()
    ops.regression_statistics_(state, outputs.cuda(), targets.cuda(), weights=times)
    return state.to(CPU)


def multilabel(
    logits: Tensor, targets: Tensor, weights: Tensor | None = None, ignore_index: int | None = None
) -> ops.MultilabelState:
    """Return the same of a batch of labels."""
    state = ops.MultilabelLayout(logits.size(-1)).empty(device="cuda")
    times = None if weights is None else weights.cuda()
    ops.multilabel_statistics_(
        state, logits.cuda(), targets.cuda(), weights=times, ignore_index=ignore_index
    )
    return state.to(CPU)


def changed(given: Tensor, layout: str) -> Tensor:
    """Return the same values on the GPU, with other strides."""
    if layout == "columns first":
        return given.cuda().t().contiguous().t()
    return given.cuda().repeat_interleave(2, -1)[:, ::2] if layout == "every second" else given


@pytest.mark.parametrize("dtype", test_regression.DTYPES, ids=str)
@pytest.mark.parametrize("case", test_regression.CASES)
def test_regressions_equal_the_oracle(case: str, dtype: torch.dtype) -> None:
    batch = test_regression.hostile(case, dtype)
    test_regression.assert_equals_oracle(regression(*batch, center=-2.5), *batch)


@pytest.mark.parametrize("dtype", test_multilabel.DTYPES, ids=str)
@pytest.mark.parametrize("case", test_multilabel.CASES)
def test_labels_equal_the_oracle(case: str, dtype: torch.dtype, gpu_kernel: str) -> None:
    logits, targets, ignore_index = test_multilabel.hostile(case, dtype)
    state = multilabel(logits, targets, ignore_index=ignore_index)
    test_multilabel.assert_equals_oracle(
        state, (logits, targets), gpu_kernel, ignore_index=ignore_index
    )


@pytest.mark.parametrize("dtype", test_regression.DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", ["rows", "columns first", "every second"])
def test_sizes_and_strides_equal_the_oracles(
    layout: str, shape: tuple[int, int], dtype: torch.dtype, gpu_kernel: str
) -> None:
    weights = torch.arange(shape[0]) % 4 - 1
    outputs, values = (part.to(dtype) for part in test_regression.random_batch(*shape))
    outputs[shape[0] // 2, shape[1] // 3] = math.nan
    state = regression(changed(outputs, layout), values, weights)
    test_regression.assert_equals_oracle(state, outputs, values, weights)
    logits, targets = test_multilabel.random_batch(*shape)
    logits, targets[-1, 0] = logits.to(dtype), 9
    labels = multilabel(changed(logits, layout), targets, weights)
    test_multilabel.assert_equals_oracle(labels, (logits, targets), gpu_kernel, weights)


def on_gpu(op: ColumnOp, *batch: Tensor) -> State[Any]:
    state = op.layout(batch[0].size(-1)).empty(device="cuda")
    op.add(state, *(part.cuda() for part in batch))
    return state


@both
def test_each_head_gets_its_own_statistics(op: ColumnOp) -> None:
    outputs = torch.stack([op.batch(900, 4, seed)[0] for seed in range(6)]).view(3, 2, 900, 4)
    targets = op.batch(900, 4)[1]
    state = op.layout(4).empty(heads=(3, 2), device="cuda")
    op.add(state, outputs.cuda(), targets.cuda())
    for head in ((i, j) for i in range(3) for j in range(2)):
        alone = on_gpu(op, outputs[head], targets)
        assert torch.equal(state.counts[head], alone.counts)
        torch.testing.assert_close(state.sums[head], alone.sums, rtol=1e-12, atol=1e-12)


@both
@pytest.mark.parametrize("shape", [(70000, 1), (3000, 50), (700, 200)], ids=str)
def test_same_bytes_every_time(op: ColumnOp, shape: tuple[int, int]) -> None:
    batch = op.batch(*shape)
    first = on_gpu(op, *batch)
    for _ in range(5):
        assert_same(on_gpu(op, *batch), first)


@pytest.fixture
def _no_sync() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@both
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_the_host_does_not_wait(op: ColumnOp, request: pytest.FixtureRequest) -> None:
    outputs, targets = (part.cuda() for part in op.batch(3000, 50))
    state = op.layout(50).empty(device="cuda")
    request.getfixturevalue("_no_sync")
    op.add(state, outputs, targets)


@both
def test_runs_on_the_stream_that_is_current(op: ColumnOp) -> None:
    batch = [part.cuda() for part in op.batch(3000, 50)]
    late = [torch.zeros_like(part) for part in batch]
    expected, state = on_gpu(op, *batch), op.layout(50).empty(device="cuda")
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        # So many cycles, in which another stream would find the zeros.
        torch.cuda._sleep(50_000_000)  # type: ignore[no-untyped-call]
        for part, source in zip(late, batch, strict=True):
            part.copy_(source)
        op.add(state, *late)
    torch.cuda.synchronize()
    assert_same(state, expected)


@both
def test_a_graph_of_it_replays(op: ColumnOp) -> None:
    batches = [[part.cuda() for part in op.batch(3000, 50, seed)] for seed in range(3)]
    expected, state = (op.layout(50).empty(device="cuda") for _ in range(2))
    for outputs, targets in batches:
        op.add(expected, outputs, targets)
    outputs, targets = (part.clone() for part in batches[0])
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        op.add(state, outputs, targets)
    assert state.counts.count_nonzero() == 0  # captured, not run
    for new_outputs, new_targets in batches:
        outputs.copy_(new_outputs)
        targets.copy_(new_targets)
        graph.replay()
    assert_same(state, expected)


@both
def test_targets_left_on_the_cpu_are_refused(op: ColumnOp) -> None:
    outputs, targets = op.batch(4, 5)
    with pytest.raises(DataError, match="targets"):
        op.add(op.layout(5).empty(device="cuda"), outputs.cuda(), targets)
