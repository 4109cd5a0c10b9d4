"""The statistics op against the oracle, over hostile inputs, dtypes, shapes and strides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from ftcore import DataError, ops
from tests.ops import oracle

pytestmark = pytest.mark.usefixtures("kernel")

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SUMS = ("nll", "brier", "entropy", "bin_confidence")
# What a kernel that computes in float32 may be off by, relative; a probability below exp(-87) may
# stand for 0.
TOLERANCES = {torch.float16: 1e-5, torch.bfloat16: 1e-5, torch.float32: 2e-6, torch.float64: 1e-12}
TINY = 1e-30
OP = torch.ops.ftcore.classification_statistics_.default


def random_batch(rows: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, classes, generator=generator)
    return logits, torch.randint(classes, (rows,), generator=generator)


def hostile(name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor, int | None]:
    """Return logits (N, C), targets (N,) and the index to ignore."""
    logits, targets = random_batch(12, 5)
    logits, ignore_index = logits.to(dtype), None
    match name:
        case "nan in some rows":
            logits[3, 1] = logits[7, 4] = math.nan
        case "nan everywhere":
            logits.fill_(math.nan)
        case "plus infinity":
            logits[2, 2] = math.inf
        case "minus infinity":
            logits[2, 2] = -math.inf
        case "both infinities in a row":
            logits[4, 0], logits[4, 1] = math.inf, -math.inf
        case "all tied":
            logits.zero_()
        case "ties among the largest":
            logits[:, 1] = logits[:, 3] = logits.amax(-1)
        case "zeros of both signs":
            logits = torch.tensor([[-0.0, 0.0, -0.0]], dtype=dtype).repeat(3, 1)
            targets = torch.arange(3)
        case "one giant logit":
            logits[:, 2] = torch.finfo(dtype).max / 64
        case "largest and smallest number":
            logits[:, 2], logits[:, 3] = torch.finfo(dtype).max / 64, -torch.finfo(dtype).max / 64
        case "subnormal logits":
            logits.fill_(torch.finfo(dtype).smallest_normal / 2)
        case "one class":
            logits, targets = logits[:, :1], torch.zeros_like(targets)
        case "two classes":
            logits, targets = logits[:, :2], targets % 2
        case "no rows":
            logits, targets = logits[:0], targets[:0]
        case "one row":
            logits, targets = logits[:1], targets[:1]
        case "ignored everywhere":
            targets, ignore_index = torch.full_like(targets, -100), -100
        case "ignored in part":
            targets[::2], ignore_index = 255, 255
        case "ignored class":
            ignore_index = int(targets[0])
        case "ignored with nan":
            targets[3], logits[3], ignore_index = -1, math.nan, -1
        case "invalid targets":
            targets[1], targets[5], targets[6] = -100, 5, -1
        case "many classes":
            logits, targets = random_batch(3, 1300)
            logits = logits.to(dtype)
        case _:
            assert name == "plain"
    return logits, targets, ignore_index


CASES = (
    "plain",
    "nan in some rows",
    "nan everywhere",
    "plus infinity",
    "minus infinity",
    "both infinities in a row",
    "all tied",
    "ties among the largest",
    "zeros of both signs",
    "one giant logit",
    "largest and smallest number",
    "subnormal logits",
    "one class",
    "two classes",
    "no rows",
    "one row",
    "ignored everywhere",
    "ignored in part",
    "ignored class",
    "ignored with nan",
    "invalid targets",
    "many classes",
)


def tolerance(kernel: str, dtype: torch.dtype) -> tuple[float, float]:
    """Return the relative and the absolute difference from the oracle that are allowed."""
    narrow = kernel == "native" and dtype != torch.float64
    return (TOLERANCES[dtype], TINY) if narrow else (1e-12, 1e-300)


def assert_equal(
    fields: dict[str, Tensor],
    expected: dict[str, oracle.Array],
    allowed: tuple[float, float] = (2e-6, TINY),
) -> None:
    rtol, atol = allowed
    for name, field in fields.items():
        if name in SUMS:
            np.testing.assert_allclose(field, expected[name], rtol=rtol, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(field, expected[name], err_msg=name)


def oracle_of(logits: Tensor, targets: Tensor, ignore: int | None) -> dict[str, oracle.Array]:
    return oracle.statistics(logits.double().numpy(), targets.numpy(), ignore)


def added(
    logits: Tensor, targets: Tensor, *, class_dim: int = -1, ignore_index: int | None = None
) -> ops.ClassificationState:
    state = ops.ClassificationLayout(logits.size(class_dim)).empty()
    ops.classification_statistics_(
        state, logits, targets, class_dim=class_dim, ignore_index=ignore_index
    )
    return state


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_op_equals_the_oracle(case: str, dtype: torch.dtype, kernel: str) -> None:
    logits, targets, ignore_index = hostile(case, dtype)
    state = added(logits, targets, ignore_index=ignore_index)
    expected = oracle_of(logits, targets, ignore_index)
    assert_equal(state.fields, expected, tolerance(kernel, dtype))


# Each takes another way through a native kernel: few classes in lanes, many classes in a row, tiles
# of any stride, and the edges of each.
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "shape",
    [
        *((rows, classes) for rows in (1, 17, 70) for classes in (1, 3, 4, 5, 10, 31, 32, 33, 47)),
        (40, 100),
        (9, 1000),
        (2, 5003),
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", ["rows", "classes first", "every second"])
def test_sizes_and_strides_equal_the_oracle(
    shape: tuple[int, int], dtype: torch.dtype, layout: str, kernel: str
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
        logits = logits.repeat_interleave(2, -1)[:, ::2]
    state = added(logits, targets, class_dim=class_dim, ignore_index=99999)
    assert_equal(state.fields, expected, tolerance(kernel, dtype))


@pytest.mark.parametrize("classes", [10, 1000])
def test_confident_rows_keep_their_digits(classes: int) -> None:
    # Losses around 1e-5, of which log(1 + 1e-5) in float32 keeps two digits.
    logits, targets = random_batch(30, classes)
    logits[torch.arange(30), targets] += 15
    assert_equal(added(logits, targets).fields, oracle_of(logits, targets, None))


@pytest.mark.parametrize("classes", [3, 5, 15, 45, 60])
def test_confidences_on_the_edge_of_a_bin_fall_into_the_bin_of_float64(classes: int) -> None:
    generator = torch.Generator().manual_seed(0)
    tied = (
        torch.rand(64, classes, generator=generator).argsort(-1)
        < 1 + torch.arange(64)[:, None] % classes
    )
    logits = torch.zeros(64, classes).masked_fill(~tied, -200)
    targets = torch.zeros(64, dtype=torch.int64)
    assert_equal(added(logits, targets).fields, oracle_of(logits, targets, None))


def test_loss_past_the_range_of_float64_is_infinite_and_spoils_nothing_else() -> None:
    fields = added(
        torch.tensor([[1.7e308, -1.7e308]], dtype=torch.float64), torch.tensor([1])
    ).fields
    assert fields["nll"] == math.inf
    assert [fields[name].item() for name in ("n", "brier", "entropy")] == [1, 2, 0]


@pytest.mark.parametrize("case", CASES)
def test_rows_equal_the_oracle(case: str, kernel: str) -> None:
    logits, targets, ignore_index = hostile(case, torch.float32)
    labels = torch.full((len(targets), 3), 77)
    values = torch.full((len(targets), 4), 77.0, dtype=torch.float64)
    state = ops.ClassificationLayout(logits.size(-1)).empty()
    ops.classification_statistics_(
        state, logits, targets, ignore_index=ignore_index, rows=(labels, values)
    )
    for z, target, label, value in zip(
        logits.double().numpy(), targets.tolist(), labels.tolist(), values.tolist(), strict=True
    ):
        if oracle.outcome(z, target, ignore_index) == "n":
            row = oracle.score(z, target)
            assert label == [row.target, row.prediction, row.rank]
            rtol, atol = tolerance(kernel, torch.float32)
            exact = [row.confidence, row.nll, row.brier, row.entropy]
            assert value == pytest.approx(exact, rel=rtol, abs=atol)
        else:
            assert label == [target, -1, -1]
            assert all(math.isnan(number) for number in value)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32], ids=str)
def test_targets_may_be_any_integers(dtype: torch.dtype) -> None:
    logits, targets = random_batch(20, 5)
    state = added(logits, targets.to(dtype))
    assert torch.equal(state.counts, added(logits, targets).counts)


def shapes_and_strides() -> Iterator[tuple[str, Tensor, Tensor, int]]:
    logits, targets = random_batch(24, 5)
    yield "transposed", logits.t().contiguous().t(), targets, -1
    yield "every second", logits.repeat_interleave(2, 0)[::2], targets.repeat_interleave(2)[::2], -1
    yield "classes first", logits.t(), targets, 0
    yield "images", logits.view(2, 3, 4, 5).movedim(-1, 1), targets.view(2, 3, 4), 1
    yield "channels last", logits.view(2, 3, 4, 5).permute(0, 3, 1, 2), targets.view(2, 3, 4), -3
    yield "tokens", logits.view(4, 6, 5), targets.view(4, 6), -1
    yield "expanded", logits[:1].expand(24, 5), targets, -1


@pytest.mark.parametrize(
    ("logits", "targets", "class_dim"),
    [pytest.param(*case[1:], id=case[0]) for case in shapes_and_strides()],
)
def test_any_shape_strides_and_class_dim(logits: Tensor, targets: Tensor, class_dim: int) -> None:
    rows = logits.movedim(class_dim, -1).reshape(-1, 5)
    expected = oracle_of(rows, targets.reshape(-1), None)
    assert_equal(added(logits, targets, class_dim=class_dim).fields, expected)


@pytest.mark.parametrize("classes", [2, 10, 21])
@pytest.mark.parametrize("pixels", [16, 112, 144, 229, 60 * 60])
def test_images_of_any_size_equal_the_oracle(classes: int, pixels: int) -> None:
    """However many pixels are left when an image ends, the next one's are their own."""
    logits, targets = random_batch(3 * pixels, classes)
    expected = oracle_of(logits, targets, 1)
    images = logits.view(3, pixels, classes).movedim(-1, 1).contiguous()
    state = added(images, targets.view(3, pixels), class_dim=1, ignore_index=1)
    assert_equal(state.fields, expected)


def test_a_single_row_needs_no_row_dimension() -> None:
    logits, targets = random_batch(1, 5)
    assert torch.equal(added(logits[0], targets[0]).counts, added(logits, targets).counts)


def test_rows_come_back_in_the_shape_of_the_targets() -> None:
    logits, targets = random_batch(24, 5)
    labels = torch.zeros(2, 3, 4, 3, dtype=torch.int64)
    values = torch.zeros(2, 3, 4, 4, dtype=torch.float64)
    ops.classification_statistics_(
        ops.ClassificationLayout(5).empty(),
        logits.view(2, 3, 4, 5).movedim(-1, 1),
        targets.view(2, 3, 4),
        class_dim=1,
        rows=(labels, values),
    )
    assert torch.equal(labels.view(24, 3)[:, 0], targets)
    assert torch.equal(labels.view(24, 3)[:, 1], logits.argmax(-1))


def test_each_head_gets_its_own_statistics() -> None:
    logits = torch.stack([random_batch(9, 4, seed)[0] for seed in range(6)]).view(3, 2, 9, 4)
    targets = random_batch(9, 4)[1]
    state = ops.ClassificationLayout(4).empty(heads=(3, 2))
    ops.classification_statistics_(state, logits, targets)
    for head in np.ndindex(3, 2):
        alone = added(logits[head], targets)
        assert torch.equal(state.counts[head], alone.counts)
        assert torch.equal(state.sums[head], alone.sums)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `kernel` holds for all examples
)
@given(st.lists(st.integers(0, 50), max_size=6), st.integers(0, 2**16))
def test_batches_add_up_to_the_whole(cuts: list[int], seed: int) -> None:
    logits, targets = random_batch(50, 4, seed)
    whole, parts = added(logits, targets), ops.ClassificationLayout(4).empty()
    bounds = [0, *sorted(cuts), 50]
    for start, stop in pairwise(bounds):
        ops.classification_statistics_(parts, logits[start:stop], targets[start:stop])
    assert torch.equal(parts.counts, whole.counts)
    torch.testing.assert_close(parts.sums, whole.sums, rtol=1e-13, atol=0)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # `kernel` holds for all examples
)
@given(st.integers(0, 50), st.integers(0, 2**16))
def test_statistics_of_parts_add_to_those_of_the_whole(cut: int, seed: int) -> None:
    logits, targets = random_batch(50, 4, seed)
    merged = ops.classification_statistics(
        logits[:cut], targets[:cut]
    ) + ops.classification_statistics(logits[cut:], targets[cut:])
    whole = ops.classification_statistics(logits, targets)
    for name, field in merged.fields.items():
        torch.testing.assert_close(field, whole.fields[name], rtol=1e-13, atol=0)


@pytest.mark.parametrize("shape", [(20000, 10), (700, 1000), (2, 70001), (1, 70001)], ids=str)
def test_same_bytes_for_any_number_of_threads(shape: tuple[int, int]) -> None:
    batch, threads = random_batch(*shape), torch.get_num_threads()
    layout, states = ops.ClassificationLayout.of(shape[1]), []
    try:
        for count in (1, 2, 3, 1):
            torch.set_num_threads(count)
            states.append(layout.empty())
            ops.classification_statistics_(states[-1], *batch)
    finally:
        torch.set_num_threads(threads)
    for state in states[1:]:
        assert torch.equal(state.counts, states[0].counts)
        assert torch.equal(state.sums, states[0].sums)


def test_per_class_counts_are_the_margins_of_the_confusion_matrix() -> None:
    fields = added(*random_batch(200, 7)).fields
    assert torch.equal(fields["support"], fields["confusion"].sum(1))
    assert torch.equal(fields["predicted"], fields["confusion"].sum(0))
    assert torch.equal(fields["correct"], fields["confusion"].diagonal())


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_opcheck(with_rows: bool, requires_grad: bool) -> None:
    logits, targets = random_batch(7, 5)
    state = ops.ClassificationLayout(5).empty()
    rows = {
        "row_labels": torch.zeros(7, 3, dtype=torch.int64),
        "row_values": torch.zeros(7, 4, dtype=torch.float64),
    }
    torch.library.opcheck(
        OP,
        (state.counts, state.sums, logits.requires_grad_(requires_grad), targets),
        rows if with_rows else {},
    )


def test_fake_tensors_are_checked_and_left_alone() -> None:
    with FakeTensorMode():
        state = ops.ClassificationLayout(5).empty()
        targets = torch.zeros(7, dtype=torch.int64)
        ops.classification_statistics_(state, torch.zeros(7, 5), targets)
        with pytest.raises(DataError, match="targets have shape"):
            ops.classification_statistics_(state, torch.zeros(8, 5), targets)


def test_no_gradient_flows_into_the_state() -> None:
    logits, targets = random_batch(7, 5)
    state = added(logits.requires_grad_(), targets)
    assert not state.sums.requires_grad


LAYOUT = ops.ClassificationLayout(5)


@pytest.mark.parametrize(
    ("logits", "targets", "class_dim", "message"),
    [
        (torch.zeros(4, 5, dtype=torch.int64), torch.zeros(4).long(), -1, "logits are torch.int64"),
        (torch.zeros(4, 5), torch.zeros(4), -1, "targets are torch.float32"),
        (torch.zeros(4, 5), torch.zeros(4, dtype=torch.bool), -1, "targets are torch.bool"),
        (torch.zeros(4, 5), torch.zeros(5).long(), -1, r"have shape \(5,\).* need \(4,\)"),
        (torch.zeros(4, 5), torch.zeros(4, 1).long(), -1, r"have shape \(4, 1\).* need \(4,\)"),
        (torch.zeros(4, 5), torch.zeros(4).long(), 2, "no class dimension 2"),
        (torch.zeros(4, 5), torch.zeros(4).long(), -3, "no class dimension -3"),
        (torch.zeros(()), torch.zeros(()).long(), -1, "no class dimension -1"),
        (torch.zeros(4, 0), torch.zeros(4).long(), -1, "0 classes"),
        (torch.zeros(4, 6), torch.zeros(4).long(), -1, "counts is torch.int64 of shape"),
        (torch.zeros(4, 5, device="meta"), torch.zeros(4).long(), -1, "on cpu, the others on meta"),
    ],
)
def test_what_does_not_fit_is_refused(
    logits: Tensor, targets: Tensor, class_dim: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ops.classification_statistics_(LAYOUT.empty(), logits, targets, class_dim=class_dim)


def test_state_of_another_type_is_refused() -> None:
    state = ops.ClassificationState(LAYOUT, *(2 * [torch.zeros(LAYOUT.sizes[0])]))
    with pytest.raises(DataError, match=r"counts is torch\.float32"):
        ops.classification_statistics_(state, *random_batch(4, 5))


def test_one_call_gives_statistics_with_readable_fields() -> None:
    logits, targets = random_batch(30, 5)
    statistics = ops.classification_statistics(logits, targets)
    assert_equal(statistics.fields, oracle_of(logits, targets, None))
    assert torch.equal(statistics.confusion, statistics.fields["confusion"])


def test_one_call_takes_bins_class_dim_and_ignore_index() -> None:
    logits, targets = random_batch(30, 5)
    statistics = ops.classification_statistics(
        logits.t(), targets, class_dim=0, ignore_index=2, bins=4
    )
    expected = oracle.statistics(logits.double().numpy(), targets.numpy(), 2, bins=4)
    assert_equal(statistics.fields, expected)


def test_one_call_keeps_no_huge_confusion_matrix() -> None:
    statistics = ops.classification_statistics(*random_batch(3, 1025))
    assert "confusion" not in statistics.fields
    assert statistics.support.sum() == 3


@pytest.mark.parametrize(
    ("shape", "position", "place"),
    [((6,), 4, r"position 4 "), ((2, 3), (1, 1), r"position \(1, 1\) ")],
)
@pytest.mark.parametrize("value", [-100, 5])
def test_one_call_names_the_first_target_that_is_no_class(
    shape: tuple[int, ...], position: int, place: str, value: int
) -> None:
    targets = torch.zeros(shape, dtype=torch.int64)
    targets[position] = value
    targets.view(-1)[5] = 99
    with pytest.raises(DataError, match=f"target {value} at {place}.*0 to 4.*2 such"):
        ops.classification_statistics(torch.zeros(*shape, 5), targets)


def test_one_call_refuses_a_wrong_class_dim_in_words() -> None:
    with pytest.raises(DataError, match="no class dimension 7"):
        ops.classification_statistics(*random_batch(3, 5), class_dim=7)
