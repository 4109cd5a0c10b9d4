"""The regression statistics against their oracle, over hostile inputs, dtypes and strides."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import Tensor

from ftcore import DataError, ops
from tests.ops import regression_oracle as oracle

pytestmark = pytest.mark.usefixtures("kernel")

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def random_batch(rows: int, columns: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = 3 * torch.randn(rows, columns, generator=generator)
    return targets + torch.randn(rows, columns, generator=generator), targets


def hostile(name: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return outputs (N, K) and targets (N, K)."""
    outputs, targets = (tensor.to(dtype) for tensor in random_batch(12, 3))
    largest = torch.finfo(dtype).max
    match name:
        case "outputs that are no numbers":
            outputs[3, 1] = outputs[7, 2] = math.nan
        case "infinite outputs":
            outputs[2, 2], outputs[4, 2] = math.inf, -math.inf
        case "targets that are no numbers":
            targets[3, 1], targets[5, 0], targets[6, 0] = math.nan, math.inf, -math.inf
        case "both no numbers":
            outputs[3], targets[3] = math.inf, math.nan
        case "nothing finite":
            outputs.fill_(math.nan)
        case "zeros of both signs":
            outputs, targets = torch.zeros_like(outputs), -torch.zeros_like(outputs)
        case "largest numbers":
            outputs[1, 0], targets[1, 0] = largest, -largest
        case "subnormal numbers":
            outputs.fill_(torch.finfo(dtype).smallest_normal / 2)
        case "no rows":
            outputs, targets = outputs[:0], targets[:0]
        case "one row":
            outputs, targets = outputs[:1], targets[:1]
        case "one column":
            outputs, targets = outputs[:, :1], targets[:, :1]
        case _:
            assert name == "plain"
    return outputs, targets


CASES = (
    "plain",
    "outputs that are no numbers",
    "infinite outputs",
    "targets that are no numbers",
    "both no numbers",
    "nothing finite",
    "zeros of both signs",
    "largest numbers",
    "subnormal numbers",
    "no rows",
    "one row",
    "one column",
)


def assert_equals_oracle(
    state: ops.RegressionState, outputs: Tensor, targets: Tensor, weights: Tensor | None = None
) -> None:
    columns = outputs.size(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        expected, magnitudes = oracle.statistics(
            outputs.reshape(-1, columns).double().numpy(),
            targets.reshape(-1, columns).double().numpy(),
            None if weights is None else weights.reshape(-1).numpy(),
            state.layout.center,
        )
    for name, field in state.fields.items():
        if name in oracle.COUNTS:
            np.testing.assert_array_equal(field, expected[name], err_msg=name)
            continue
        for value, exact, magnitude in zip(
            field.tolist(), expected[name].tolist(), magnitudes[name].tolist(), strict=True
        ):
            tolerance = 1e-12 * magnitude if math.isfinite(magnitude) else 0.0
            assert value == pytest.approx(exact, rel=0, abs=tolerance, nan_ok=True), name


def added(
    outputs: Tensor, targets: Tensor, weights: Tensor | None = None, center: float = 0.0
) -> ops.RegressionState:
    state = ops.RegressionLayout(outputs.size(-1), center).empty()
    ops.regression_statistics_(state, outputs, targets, weights=weights)
    return state


@pytest.mark.parametrize("center", [0.0, -2.5])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_op_equals_the_oracle(case: str, dtype: torch.dtype, center: float) -> None:
    batch = hostile(case, dtype)
    assert_equals_oracle(added(*batch, center=center), *batch)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8, 16, 63, 64, 65, 130, 1100])
@pytest.mark.parametrize("rows", [1, 17, 70])
@pytest.mark.parametrize("layout", ["rows", "columns first", "every second"])
def test_sizes_and_strides_equal_the_oracle(
    rows: int, columns: int, dtype: torch.dtype, layout: str
) -> None:
    if rows * columns > 2**14:
        rows = 5
    outputs, targets = (given.to(dtype) for given in random_batch(rows, columns, seed=columns))
    outputs[rows // 2, columns // 3] = math.nan
    given = outputs
    if layout == "columns first":
        given = outputs.t().contiguous().t()
    elif layout == "every second":
        given = outputs.repeat_interleave(2, -1)[:, ::2]
    assert_equals_oracle(added(given, targets), outputs, targets)


@pytest.mark.parametrize("dtype", [*DTYPES, *INTEGERS], ids=str)
@pytest.mark.parametrize("outputs_dtype", DTYPES, ids=str)
def test_targets_may_be_any_numbers(dtype: torch.dtype, outputs_dtype: torch.dtype) -> None:
    outputs, targets = random_batch(40, 3)
    outputs, targets = outputs.to(outputs_dtype), targets.abs().to(dtype)
    assert_equals_oracle(added(outputs, targets), outputs, targets)


def test_integers_beyond_the_range_of_float64_are_rounded() -> None:
    state = added(torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[2**53 + 1]]))
    assert state.fields["target"].item() == 2**53


WEIGHTS = {
    "mixed": torch.tensor([0, 1, 3, -1] * 6),
    "bool": torch.tensor([True, False, True] * 8),
    "none": torch.zeros(24, dtype=torch.int8),
    "large": torch.full((24,), 2**40),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("columns", [1, 3, 70])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_say_how_often_a_row_counts(name: str, columns: int, dtype: torch.dtype) -> None:
    outputs, targets = (given.to(dtype) for given in random_batch(24, columns))
    outputs[:4, 0], targets[4:8, 0] = math.nan, math.inf
    outputs[8], targets[8] = torch.finfo(dtype).max, -torch.finfo(dtype).max  # of weight 0
    assert_equals_oracle(
        added(outputs, targets, WEIGHTS[name], center=1.5), outputs, targets, WEIGHTS[name]
    )


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_usual_metrics_follow_from_the_sums(offset: float) -> None:
    outputs, targets = (given.double() + offset for given in random_batch(200, 1))
    f = {k: v.item() for k, v in added(outputs, targets, center=offset).fields.items()}
    o, t, n = outputs.flatten().numpy(), targets.flatten().numpy(), f["n"]
    mse, bias = f["squared"] / n, f["error"] / n
    var_t = f["target_squared"] / n - (f["target"] / n) ** 2
    var_p = f["output_squared"] / n - (f["output"] / n) ** 2
    covariance = f["product"] / n - f["output"] * f["target"] / n**2
    assert mse == pytest.approx(metrics.mean_squared_error(t, o), rel=1e-10)
    assert f["absolute"] / n == pytest.approx(metrics.mean_absolute_error(t, o), rel=1e-10)
    assert 1 - mse / var_t == pytest.approx(metrics.r2_score(t, o), rel=1e-10)
    explained = metrics.explained_variance_score(t, o)
    assert 1 - (mse - bias**2) / var_t == pytest.approx(explained, rel=1e-10)
    correlation = np.corrcoef(o, t)[0, 1]
    assert covariance / math.sqrt(var_p * var_t) == pytest.approx(correlation, rel=1e-10)


def test_targets_that_are_bool_are_refused() -> None:
    with pytest.raises(DataError, match=r"targets are torch\.bool"):
        added(torch.zeros(4, 5), torch.zeros(4, 5).bool())


@pytest.mark.parametrize("center", [math.nan, math.inf])
def test_a_center_that_is_not_finite_is_refused(center: float) -> None:
    with pytest.raises(DataError, match=f"center is {center}"):
        added(*random_batch(4, 5), center=center)


def test_fields_lie_in_the_documented_order() -> None:
    state = ops.RegressionLayout(2).empty()
    state.counts.copy_(torch.arange(6))
    state.sums.copy_(torch.arange(16))
    firsts = [field.tolist()[0] for field in state.fields.values()]
    assert firsts == [*range(0, 6, 2), *range(0, 16, 2)]
    assert list(state.fields)[:4] == ["n", "non_finite", "invalid", "absolute"]
