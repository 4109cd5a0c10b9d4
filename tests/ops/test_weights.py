"""Weights say how often a row counts: against the oracle on rows that are there as often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear

from ftcore import DataError, ops
from tests.ops import oracle

pytestmark = pytest.mark.usefixtures("kernel")

ROWS = 60
# Few classes in lanes, tiles, long rows, and more classes than a linear op reads at once.
CLASSES = [1, 5, 40, 1000, 4100]


def batch(classes: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    """Return features, weight matrix and targets with all outcomes; logits are whole numbers."""
    generator = torch.Generator().manual_seed(classes)
    features = torch.randint(-2, 3, (ROWS, 6), generator=generator).to(dtype)
    matrix = torch.randint(-2, 3, (classes, 6), generator=generator).to(dtype)
    features[4] = features[31] = torch.nan
    targets = torch.randint(classes, (ROWS,), generator=generator)
    targets[::7], targets[::11] = -100, classes
    return features, matrix, targets


def repeated(logits: Tensor, targets: Tensor, times: Tensor) -> dict[str, oracle.Array]:
    return oracle.statistics(
        logits.repeat_interleave(times, 0).double().numpy(),
        targets.repeat_interleave(times).numpy(),
        -100,
    )


def assert_close(state: ops.ClassificationState, expected: dict[str, oracle.Array]) -> None:
    for name, field in state.fields.items():
        np.testing.assert_allclose(field, expected[name], rtol=2e-6, atol=1e-30, err_msg=name)


def added(op: str, classes: int, weights: Tensor) -> ops.ClassificationState:
    features, matrix, targets = batch(classes)
    state = ops.ClassificationLayout.of(classes).empty()
    options: dict[str, Any] = {"weights": weights, "ignore_index": -100}
    if op == "linear":
        ops.linear_classification_statistics_(state, features, matrix, None, targets, **options)
    elif op == "rows":
        ops.classification_statistics_(state, linear(features, matrix), targets, **options)
    else:
        logits = linear(features, matrix).t().contiguous()
        ops.classification_statistics_(state, logits, targets, class_dim=0, **options)
    return state


@pytest.mark.parametrize("op", ["rows", "classes first", "linear"])
@pytest.mark.parametrize("classes", CLASSES)
def test_a_row_counts_as_often_as_its_weight_says(op: str, classes: int) -> None:
    features, matrix, targets = batch(classes)
    times = torch.arange(ROWS) % 4
    state = added(op, classes, times)
    assert_close(state, repeated(linear(features, matrix), targets, times))


@pytest.mark.parametrize("op", ["rows", "classes first", "linear"])
@pytest.mark.parametrize("classes", CLASSES)
def test_a_mask_leaves_rows_out(op: str, classes: int) -> None:
    features, matrix, targets = batch(classes)
    mask = torch.arange(ROWS) % 3 != 1
    state = added(op, classes, mask)
    assert_close(state, repeated(linear(features, matrix), targets, mask.long()))


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32, torch.int64], ids=str)
def test_any_integers_will_do(dtype: torch.dtype) -> None:
    times = torch.arange(ROWS) % 4
    one, other = added("rows", 40, times.to(dtype)), added("rows", 40, times)
    assert torch.equal(one.counts, other.counts)
    assert torch.equal(one.sums, other.sums)


@pytest.mark.parametrize("classes", CLASSES)
def test_what_was_added_can_be_taken_away(classes: int) -> None:
    features, matrix, targets = batch(classes)
    logits, state = linear(features, matrix), ops.ClassificationLayout.of(classes).empty()
    ops.classification_statistics_(state, logits, targets, weights=torch.full((ROWS,), 3))
    ops.classification_statistics_(state, logits, targets, weights=torch.full((ROWS,), -3))
    assert not state.counts.any()
    assert float(state.sums.abs().max()) < 1e-12  # chunks of rows are rounded one by one


@pytest.mark.parametrize("classes", [5, 40])
def test_each_head_may_have_its_own(classes: int) -> None:
    features, matrix, targets = batch(classes)
    heads, both = torch.stack([matrix, matrix.flip(0), -matrix]).unsqueeze(0), {}
    weights = torch.arange(3 * ROWS).view(1, 3, ROWS) % 3
    layout = ops.ClassificationLayout.of(classes)
    both["linear"], both["rows"] = layout.empty((1, 3)), layout.empty((1, 3))
    ops.linear_classification_statistics_(
        both["linear"], features, heads, None, targets, weights=weights, ignore_index=-100
    )
    logits = linear(features, heads.flatten(0, 2)).view(ROWS, 1, 3, classes).movedim(0, 2)
    ops.classification_statistics_(
        both["rows"], logits, targets, weights=weights, ignore_index=-100
    )
    for state in both.values():
        for k in range(3):
            alone = ops.ClassificationState(layout, state.counts[0, k], state.sums[0, k])
            expected = repeated(linear(features, heads[0, k]), targets, weights[0, k])
            assert_close(alone, expected)


def test_rows_of_any_weight_but_zero_are_told() -> None:
    features, matrix, targets = batch(5)
    logits, rows = linear(features, matrix), {}
    for name, weights in (("plain", None), ("weighted", torch.arange(ROWS) % 3 - 1)):
        labels = torch.empty(ROWS, 3, dtype=torch.int64)
        values = torch.empty(ROWS, 4, dtype=torch.float64)
        state = ops.ClassificationLayout(5).empty()
        ops.classification_statistics_(
            state, logits, targets, weights=weights, rows=(labels, values)
        )
        rows[name] = torch.cat([labels.double(), values], -1)
    left_out = torch.arange(ROWS) % 3 == 1
    kept = ~left_out
    torch.testing.assert_close(
        rows["weighted"][kept], rows["plain"][kept], rtol=2e-6, atol=1e-30, equal_nan=True
    )
    assert torch.equal(rows["weighted"][left_out, 0], targets[left_out].double())
    assert (rows["weighted"][left_out, 1:3] == -1).all()
    assert rows["weighted"][left_out, 3:].isnan().all()


def test_an_image_of_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 6, 7, generator=generator)
    targets = torch.randint(5, (2, 6, 7), generator=generator)
    weights = torch.randint(3, (2, 6, 7), generator=generator)
    state = ops.ClassificationLayout(5).empty()
    ops.classification_statistics_(
        state,
        logits,
        targets,
        class_dim=1,
        weights=weights.movedim(0, 2).contiguous().movedim(2, 0),
    )
    rows = logits.movedim(1, -1).reshape(-1, 5)
    assert_close(state, repeated(rows, targets.flatten(), weights.flatten()))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.ones(ROWS), "weights are torch.float32"),
        (torch.ones(ROWS - 1, dtype=torch.int64), r"weights have shape \(59,\).* need \(60,\)"),
        (torch.ones(ROWS, 1, dtype=torch.int64), r"weights have shape \(60, 1\)"),
        (torch.ones(ROWS, dtype=torch.int64, device="meta"), "weights is on meta"),
    ],
)
@pytest.mark.parametrize("op", ["rows", "linear"])
def test_refused(op: str, weights: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        added(op, 5, weights)


@pytest.mark.parametrize("classes", [5, 40])
def test_opcheck(classes: int) -> None:
    features, matrix, targets = batch(classes)
    state, weights = ops.ClassificationLayout(classes).empty(), torch.arange(ROWS) % 3
    torch.library.opcheck(
        torch.ops.ftcore.classification_statistics_.default,
        (state.counts, state.sums, linear(features, matrix).nan_to_num(), targets),
        {"weights": weights},
    )
    torch.library.opcheck(
        torch.ops.ftcore.linear_classification_statistics_.default,
        (state.counts, state.sums, features.nan_to_num(), matrix, None, targets),
        {"weights": weights},
    )
