"""The multi-label statistics against their oracle, over hostile inputs, dtypes and strides."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from ftcore import DataError, ops
from tests.ops import multilabel_oracle as oracle

pytestmark = pytest.mark.usefixtures("kernel")

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SUMS = ("nll", "brier")
# What a kernel that computes in float32 may be off by, relative; a probability below exp(-87) may
# stand for 0.
TOLERANCES = {torch.float16: 1e-5, torch.bfloat16: 1e-5, torch.float32: 2e-6, torch.float64: 1e-12}
TINY = 1e-30
OP = torch.ops.ftcore.multilabel_statistics_.default


def random_batch(rows: int, labels: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, labels, generator=generator)
    return logits, (torch.rand(rows, labels, generator=generator) < logits.sigmoid()).long()


def hostile(name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor, int | None]:
    """Return logits (N, L), targets (N, L) and the index to ignore."""
    logits, targets = random_batch(12, 3)
    logits, ignore_index = logits.to(dtype), None
    info = torch.finfo(dtype)
    match name:
        case "nan in some rows":
            logits[3, 1] = logits[7, 2] = math.nan
        case "nan everywhere":
            logits.fill_(math.nan)
        case "infinities":
            logits[2, 2], logits[4, 0], logits[4, 1] = math.inf, math.inf, -math.inf
        case "zeros of both signs":
            logits.zero_()
            logits[::2] = -0.0
        case "giant logits":
            logits[3, 0], logits[4, 1] = info.max, info.min
            targets[3, 0], targets[4, 1] = 0, 1
        case "subnormal logits":
            logits.fill_(info.smallest_normal / 2)
            logits[::2] *= -1
        case "confident":
            logits = (targets * 2 - 1).to(dtype) * torch.linspace(5, 80, 36).view(12, 3).to(dtype)
        case "one label":
            logits, targets = logits[:, :1], targets[:, :1]
        case "no rows":
            logits, targets = logits[:0], targets[:0]
        case "one row":
            logits, targets = logits[:1], targets[:1]
        case "ignored everywhere":
            targets, ignore_index = torch.full_like(targets, -100), -100
        case "ignored in part":
            targets[::2, 1], ignore_index = 255, 255
        case "ignored zeros":
            ignore_index = 0
        case "ignored with nan":
            targets[3, 1], logits[3, 1], ignore_index = -1, math.nan, -1
        case "invalid targets":
            targets[1, 0], targets[5, 1], targets[6, 2], logits[6, 2] = -1, 2, 2**40, math.nan
        case _:
            assert name == "plain"
    return logits, targets, ignore_index


CASES = (
    "plain",
    "nan in some rows",
    "nan everywhere",
    "infinities",
    "zeros of both signs",
    "giant logits",
    "subnormal logits",
    "confident",
    "one label",
    "no rows",
    "one row",
    "ignored everywhere",
    "ignored in part",
    "ignored zeros",
    "ignored with nan",
    "invalid targets",
)


def assert_equals_oracle(
    state: ops.MultilabelState,
    batch: tuple[Tensor, Tensor],
    kernel: str,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
) -> None:
    logits, targets = batch
    labels = logits.size(-1)
    expected, magnitudes = oracle.statistics(
        logits.reshape(-1, labels).double().numpy(),
        targets.reshape(-1, labels).long().numpy(),
        None if weights is None else weights.reshape(-1).numpy(),
        ignore_index,
    )
    narrow = kernel == "native" and logits.dtype != torch.float64
    rtol, atol = (TOLERANCES[logits.dtype], TINY) if narrow else (1e-12, 1e-300)
    for name, field in state.fields.items():
        if name in SUMS:
            error = np.abs(field.numpy() - expected[name])
            assert (error <= rtol * magnitudes[name] + atol).all(), name
        else:
            np.testing.assert_array_equal(field, expected[name], err_msg=name)


def added(
    logits: Tensor,
    targets: Tensor,
    *,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
) -> ops.MultilabelState:
    state = ops.MultilabelLayout(logits.size(-1)).empty()
    ops.multilabel_statistics_(state, logits, targets, weights=weights, ignore_index=ignore_index)
    return state


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_op_equals_the_oracle(case: str, dtype: torch.dtype, kernel: str) -> None:
    logits, targets, ignore_index = hostile(case, dtype)
    state = added(logits, targets, ignore_index=ignore_index)
    assert_equals_oracle(state, (logits, targets), kernel, ignore_index=ignore_index)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("labels", [1, 2, 7, 31, 32, 33, 80, 600])
@pytest.mark.parametrize("rows", [1, 70])
@pytest.mark.parametrize("layout", ["rows", "labels first", "every second"])
def test_sizes_and_strides_equal_the_oracle(
    rows: int, labels: int, dtype: torch.dtype, layout: str, kernel: str
) -> None:
    logits, targets = random_batch(rows if labels < 100 else 4, labels, seed=labels)
    logits = logits.to(dtype)
    logits[0, labels // 3], targets[len(targets) // 2, 0] = math.nan, 9
    given = logits
    if layout == "labels first":
        given = logits.t().contiguous().t()
    elif layout == "every second":
        given = logits.repeat_interleave(2, -1)[:, ::2]
    assert_equals_oracle(added(given, targets), (logits, targets), kernel)


@pytest.mark.parametrize(
    "dtype",
    [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64],
    ids=str,
)
@pytest.mark.parametrize("ignore_index", [None, 1, -1])
def test_targets_may_be_bool_or_any_integers(
    dtype: torch.dtype, ignore_index: int | None, kernel: str
) -> None:
    logits, targets = random_batch(20, 5)
    batch = (logits, targets.to(dtype))
    state = added(*batch, ignore_index=ignore_index)
    assert_equals_oracle(state, batch, kernel, ignore_index=ignore_index)


WEIGHTS = {
    "mixed": torch.tensor([0, 1, 3, -1] * 6),
    "bool": torch.tensor([True, False, True] * 8),
    "none": torch.zeros(24, dtype=torch.int8),
    "large": torch.full((24,), 2**40),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("labels", [1, 3, 40])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_say_how_often_a_row_counts(
    name: str, labels: int, dtype: torch.dtype, kernel: str
) -> None:
    logits, targets = random_batch(24, labels)
    logits = logits.to(dtype)
    logits[:4, 0], targets[4:8, 0], targets[8:12, 0] = math.nan, 7, -1
    state = added(logits, targets, weights=WEIGHTS[name], ignore_index=-1)
    assert_equals_oracle(state, (logits, targets), kernel, WEIGHTS[name], -1)


def shapes_and_strides() -> Iterator[tuple[str, Tensor, Tensor]]:
    logits, targets = random_batch(24, 3)
    yield "transposed", logits.t().contiguous().t(), targets.t().contiguous().t()
    yield "every second", logits.repeat_interleave(2, 0)[::2], targets.repeat_interleave(2, 0)[::2]
    yield "images", logits.view(2, 3, 4, 3), targets.view(2, 3, 4, 3)
    yield "strange", logits.view(4, 6, 3).transpose(0, 1), targets.view(4, 6, 3).transpose(0, 1)
    yield "expanded", logits[:1].expand(24, 3), targets
    yield "no row dimension", logits[0], targets[0]


@pytest.mark.parametrize(
    ("logits", "targets"), [pytest.param(*case[1:], id=case[0]) for case in shapes_and_strides()]
)
def test_any_shape_and_strides(logits: Tensor, targets: Tensor, kernel: str) -> None:
    assert_equals_oracle(added(logits, targets), (logits, targets), kernel)


@pytest.mark.parametrize("weighted", ["no", "shared", "by head"])
def test_each_head_gets_its_own_statistics(weighted: str) -> None:
    logits = torch.stack([random_batch(9, 4, seed)[0] for seed in range(6)]).view(3, 2, 9, 4)
    targets = random_batch(9, 4)[1]
    by_head = torch.arange(54).view(3, 2, 9) % 4 - 1
    weights = {"no": None, "shared": by_head[0, 0], "by head": by_head}[weighted]
    state = ops.MultilabelLayout(4).empty(heads=(3, 2))
    ops.multilabel_statistics_(state, logits, targets, weights=weights)
    for head in np.ndindex(3, 2):
        own = by_head[head] if weighted == "by head" else weights
        alone = added(logits[head], targets, weights=own)
        assert torch.equal(state.counts[head], alone.counts)
        assert torch.equal(state.sums[head], alone.sums)


def test_batches_add_up_to_the_whole() -> None:
    logits, targets = random_batch(50, 4)
    whole, parts = added(logits, targets), ops.MultilabelLayout(4).empty()
    for start, stop in ((0, 7), (7, 7), (7, 50)):
        ops.multilabel_statistics_(parts, logits[start:stop], targets[start:stop])
    assert torch.equal(parts.counts, whole.counts)
    torch.testing.assert_close(parts.sums, whole.sums, rtol=1e-13, atol=0)


@pytest.mark.parametrize("shape", [(70000, 1), (3000, 50), (700, 200)], ids=str)
def test_same_bytes_for_any_number_of_threads(shape: tuple[int, int]) -> None:
    batch, threads = random_batch(*shape), torch.get_num_threads()
    states = []
    try:
        for count in (1, 2, 3, 1):
            torch.set_num_threads(count)
            states.append(added(*batch))
    finally:
        torch.set_num_threads(threads)
    for state in states[1:]:
        assert torch.equal(state.counts, states[0].counts)
        assert torch.equal(state.sums, states[0].sums)


def test_histograms_hold_what_was_scored() -> None:
    f = added(*random_batch(200, 7)).fields
    assert torch.equal(f["positives"].sum(-1), f["true_positive"] + f["false_negative"])
    assert torch.equal(f["negatives"].sum(-1), f["true_negative"] + f["false_positive"])


def test_usual_metrics_follow_from_the_counts_and_sums() -> None:
    logits, targets = random_batch(300, 4)
    f, p = added(logits, targets).fields, logits.double().sigmoid().numpy()
    y, predicted = targets.numpy(), (logits >= 0).numpy()
    tp, wrong = f["true_positive"], f["false_positive"] + f["false_negative"]
    f1 = (2 * tp / (2 * tp + wrong)).numpy()
    np.testing.assert_allclose(f1, metrics.f1_score(y, predicted, average=None), rtol=1e-6)
    assert (f["exact"] / f["rows"]).item() == pytest.approx(metrics.accuracy_score(y, predicted))
    for k in range(4):
        loss = metrics.log_loss(y[:, k], p[:, k])
        assert f["nll"][k].item() / 300 == pytest.approx(loss, rel=1e-6)
        score = metrics.brier_score_loss(y[:, k], p[:, k])
        assert f["brier"][k].item() / 300 == pytest.approx(score, rel=1e-6)


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("weights", [None, torch.ones(7, dtype=torch.int64)], ids=["no", "yes"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_opcheck(weights: Tensor | None, requires_grad: bool) -> None:
    logits, targets = random_batch(7, 5)
    state = ops.MultilabelLayout(5).empty()
    torch.library.opcheck(
        OP,
        (state.counts, state.sums, logits.requires_grad_(requires_grad), targets),
        {"weights": weights, "ignore_index": 3},
    )


def test_fake_tensors_are_checked_and_left_alone() -> None:
    with FakeTensorMode():
        state = ops.MultilabelLayout(5).empty()
        targets = torch.zeros(7, 5, dtype=torch.int64)
        ops.multilabel_statistics_(state, torch.zeros(7, 5), targets)
        with pytest.raises(DataError, match="targets have shape"):
            ops.multilabel_statistics_(state, torch.zeros(8, 5), targets)


def test_compiles_into_one_graph() -> None:
    def step(counts: Tensor, sums: Tensor, logits: Tensor, targets: Tensor) -> None:
        torch.ops.ftcore.multilabel_statistics_(counts, sums, 2 * logits, targets)

    logits, targets = random_batch(7, 5)
    state = ops.MultilabelLayout(5).empty()
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    compiled(state.counts, state.sums, logits, targets)
    assert torch.equal(state.counts, added(2 * logits, targets).counts)


def test_no_gradient_flows_into_the_state() -> None:
    logits, targets = random_batch(7, 5)
    assert not added(logits.requires_grad_(), targets).sums.requires_grad


LAYOUT = ops.MultilabelLayout(5)
Z, Y = torch.zeros(4, 5), torch.zeros(4, 5, dtype=torch.int64)


@pytest.mark.parametrize(
    ("logits", "targets", "weights", "message"),
    [
        (Y, Y, None, "logits are torch.int64"),
        (Z, Z, None, "targets are torch.float32; they must be bool"),
        (Z, Y[:, :1], None, r"have shape \(4, 1\).* need \(4, 5\)"),
        (Z, Y[:, 0], None, r"have shape \(4,\).* need \(4, 5\)"),
        (Z[:, :0], Y[:, :0], None, r"logits have shape \(4, 0\)"),
        (torch.zeros(()), torch.zeros(()).long(), None, r"logits have shape \(\)"),
        (torch.zeros(4, 6), torch.zeros(4, 6).long(), None, "counts is torch.int64 of shape"),
        (Z.to("meta"), Y, None, "on cpu, the others on meta"),
        (Z, Y, torch.ones(4), "weights are torch.float32"),
        (Z, Y, torch.ones(5).long(), r"weights have shape \(5,\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    logits: Tensor, targets: Tensor, weights: Tensor | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        ops.multilabel_statistics_(LAYOUT.empty(), logits, targets, weights=weights)


def test_fields_lie_in_the_documented_order() -> None:
    layout = ops.MultilabelLayout(2)
    assert list(layout.count_fields) == [
        "rows",
        "exact",
        *oracle.BY_LABEL,
        "positives",
        "negatives",
    ]
    assert layout.sizes == (2 + 7 * 2 + 2 * 2 * ops.LOGIT_BINS, 4)
    fields = layout.empty(heads=(3,)).fields
    assert fields["positives"].shape == (3, 2, ops.LOGIT_BINS)
    assert fields["brier"].shape == (3, 2)
