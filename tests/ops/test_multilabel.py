"""The multi-label statistics against their oracle, over hostile inputs, dtypes and strides."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor

from ftcore import DataError, ops
from tests.ops import multilabel_oracle as oracle

pytestmark = pytest.mark.usefixtures("kernel")

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
SUMS = ("nll", "brier")
# What a kernel that computes in float32 may be off by, relative; a probability below exp(-87) may
# stand for 0.
TOLERANCES = {torch.float16: 1e-5, torch.bfloat16: 1e-5, torch.float32: 2e-6, torch.float64: 1e-12}
TINY = 1e-30


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


def test_targets_that_are_floats_are_refused() -> None:
    with pytest.raises(DataError, match=r"targets are torch\.float32; they must be bool"):
        added(torch.zeros(4, 5), torch.zeros(4, 5))


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
