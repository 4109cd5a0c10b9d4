"""The statistics op on a GPU: against the oracle, on any stream, in a graph, with no host sync."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from ftcore import DataError, ops
from tests.ops import oracle
from tests.ops.test_classification import (
    CASES,
    DTYPES,
    assert_equal,
    hostile,
    oracle_of,
    random_batch,
    tolerance,
)

pytestmark = [pytest.mark.cuda, pytest.mark.usefixtures("gpu_kernel")]


def added(
    logits: Tensor, targets: Tensor, *, class_dim: int = -1, ignore_index: int | None = None
) -> ops.ClassificationState:
    """Return the statistics of a batch, computed on the GPU, back on the CPU."""
    state = ops.ClassificationLayout.of(logits.size(class_dim)).empty(device="cuda")
    ops.classification_statistics_(
        state, logits.cuda(), targets.cuda(), class_dim=class_dim, ignore_index=ignore_index
    )
    return state.to(torch.device("cpu"))


def assert_same_bytes(state: ops.ClassificationState, other: ops.ClassificationState) -> None:
    assert torch.equal(state.counts, other.counts)
    assert torch.equal(state.sums, other.sums)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_op_equals_the_oracle(case: str, dtype: torch.dtype, gpu_kernel: str) -> None:
    logits, targets, ignore_index = hostile(case, dtype)
    state = added(logits, targets, ignore_index=ignore_index)
    expected = oracle_of(logits, targets, ignore_index)
    assert_equal(state.fields, expected, tolerance(gpu_kernel, dtype))


# A warp, a block and what is left over; few and many classes; rows of odd length, which start where
# no vector of several logits may be loaded.
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "shape",
    [(1, 1), (33, 2), (1000, 10), (257, 33), (64, 1000), (65, 1025), (5, 4099), (2, 32000)],
    ids=str,
)
@pytest.mark.parametrize("layout", ["rows", "classes first", "every second"])
def test_sizes_and_strides_equal_the_oracle(
    shape: tuple[int, int], dtype: torch.dtype, layout: str, gpu_kernel: str
) -> None:
    rows, classes = shape
    logits, targets = random_batch(rows, classes, seed=rows + classes)
    logits, targets = logits.to(dtype), targets.where(targets != 2, 99999)
    logits[rows // 2, classes // 3] = logits[rows // 2].max()  # a tie
    expected = oracle_of(logits, targets, 99999)
    class_dim = -1
    if layout == "classes first":
        logits, class_dim = logits.t().contiguous(), 0
    elif layout == "every second":
        logits = logits.cuda().repeat_interleave(2, -1)[:, ::2]
    state = added(logits, targets, class_dim=class_dim, ignore_index=99999)
    assert_equal(state.fields, expected, tolerance(gpu_kernel, dtype))


def test_images_with_classes_in_the_middle_equal_the_oracle() -> None:
    logits, targets = random_batch(2 * 17 * 19, 21)
    targets[::9] = 255
    images = logits.view(2, 17, 19, 21).movedim(-1, 1).contiguous()
    state = added(images, targets.view(2, 17, 19), class_dim=1, ignore_index=255)
    assert_equal(state.fields, oracle_of(logits, targets, 255))


@pytest.mark.parametrize("case", CASES)
def test_rows_equal_the_oracle(case: str, gpu_kernel: str) -> None:
    logits, targets, ignore_index = hostile(case, torch.float32)
    labels = torch.full((len(targets), 3), 77, device="cuda")
    values = torch.full((len(targets), 4), 77.0, dtype=torch.float64, device="cuda")
    state = ops.ClassificationLayout(logits.size(-1)).empty(device="cuda")
    ops.classification_statistics_(
        state, logits.cuda(), targets.cuda(), ignore_index=ignore_index, rows=(labels, values)
    )
    rtol, atol = tolerance(gpu_kernel, torch.float32)
    for z, target, label, value in zip(
        logits.double().numpy(), targets.tolist(), labels.tolist(), values.tolist(), strict=True
    ):
        if oracle.outcome(z, target, ignore_index) == "n":
            row = oracle.score(z, target)
            assert label == [row.target, row.prediction, row.rank]
            exact = [row.confidence, row.nll, row.brier, row.entropy]
            assert value == pytest.approx(exact, rel=rtol, abs=atol)
        else:
            assert label == [target, -1, -1]
            assert all(math.isnan(number) for number in value)


def test_each_head_gets_its_own_statistics() -> None:
    logits = torch.stack([random_batch(90, 7, seed)[0] for seed in range(6)]).view(3, 2, 90, 7)
    targets = random_batch(90, 7)[1]
    state = ops.ClassificationLayout(7).empty(heads=(3, 2), device="cuda")
    ops.classification_statistics_(state, logits.cuda(), targets.cuda())
    fields = state.to(torch.device("cpu")).fields
    for head in ((i, j) for i in range(3) for j in range(2)):
        alone = {name: field[head] for name, field in fields.items()}
        assert_equal(alone, oracle_of(logits[head], targets, None))


@pytest.mark.parametrize("shape", [(20000, 10), (700, 1000), (3, 70001)], ids=str)
def test_same_bytes_every_time(shape: tuple[int, int]) -> None:
    logits, targets = (part.cuda() for part in random_batch(*shape))
    first = added(logits, targets)
    for _ in range(5):
        assert_same_bytes(added(logits, targets), first)


def test_batches_add_up_to_the_whole() -> None:
    logits, targets = random_batch(1000, 10)
    state = ops.ClassificationLayout(10).empty(device="cuda")
    for part, part_targets in zip(torch.split(logits, 300), torch.split(targets, 300), strict=True):
        ops.classification_statistics_(state, part.cuda(), part_targets.cuda())
    assert_equal(state.to(torch.device("cpu")).fields, oracle_of(logits, targets, None))


@pytest.fixture
def _no_sync() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    yield
    torch.cuda.set_sync_debug_mode("default")


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("shape", [(2000, 10), (60, 1000), (2, 32000)], ids=str)
def test_the_host_does_not_wait(shape: tuple[int, int], request: pytest.FixtureRequest) -> None:
    logits, targets = (part.cuda() for part in random_batch(*shape))
    state = ops.ClassificationLayout.of(shape[1]).empty(device="cuda")
    request.getfixturevalue("_no_sync")
    ops.classification_statistics_(state, logits, targets, ignore_index=3)


def test_runs_on_the_stream_that_is_current() -> None:
    logits, targets = random_batch(2000, 10)
    expected = added(logits, targets)
    state = ops.ClassificationLayout(10).empty(device="cuda")
    late, late_targets = torch.full((2000, 10), math.nan).cuda(), torch.zeros_like(targets).cuda()
    source, source_targets = logits.cuda(), targets.cuda()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        # So many cycles, in which another stream would find the NaNs.
        torch.cuda._sleep(50_000_000)  # type: ignore[no-untyped-call]
        late.copy_(source)
        late_targets.copy_(source_targets)
        ops.classification_statistics_(state, late, late_targets)
    torch.cuda.synchronize()
    assert_same_bytes(state.to(torch.device("cpu")), expected)


@pytest.mark.parametrize("shape", [(2000, 10), (60, 1000), (2, 32000)], ids=str)
def test_a_graph_of_it_replays(shape: tuple[int, int]) -> None:
    batches = [[part.cuda() for part in random_batch(*shape, seed)] for seed in range(3)]
    layout = ops.ClassificationLayout.of(shape[1])
    expected, state = layout.empty(device="cuda"), layout.empty(device="cuda")
    for logits, targets in batches:
        ops.classification_statistics_(expected, logits, targets)
    logits, targets = (part.clone() for part in batches[0])
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        ops.classification_statistics_(state, logits, targets)
    assert state.counts.count_nonzero() == 0  # captured, not run
    for new_logits, new_targets in batches:
        logits.copy_(new_logits)
        targets.copy_(new_targets)
        graph.replay()
    assert_same_bytes(state, expected)


def test_another_gpu_than_the_current_one() -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU only")
    logits, targets = random_batch(200, 10)
    state = ops.ClassificationLayout(10).empty(device="cuda:1")
    ops.classification_statistics_(state, logits.to("cuda:1"), targets.to("cuda:1"))
    assert_same_bytes(state.to(torch.device("cpu")), added(logits, targets))


def test_targets_left_on_the_cpu_are_refused() -> None:
    logits, targets = random_batch(4, 5)
    state = ops.ClassificationLayout(5).empty(device="cuda")
    with pytest.raises(DataError, match="targets"):
        ops.classification_statistics_(state, logits.cuda(), targets)
