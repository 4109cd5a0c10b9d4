"""The linear statistics op against the oracle, on logits that any order of summation gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import linear

from ftcore import DataError, ops
from tests.ops import oracle

pytestmark = pytest.mark.usefixtures("kernel")

DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
TOLERANCES = {torch.float16: 1e-5, torch.bfloat16: 1e-5, torch.float32: 2e-6, torch.float64: 1e-12}
OP = torch.ops.ftcore.linear_classification_statistics_.default
# Few classes and many heads in one product, whole rows, rows in parts, a last part of few classes.
SHAPES = [
    (700, 10, ()),
    (50, 1, ()),
    (300, 7, (3, 2)),
    (130, 100, (4,)),
    (600, 1000, ()),
    (520, 3073, ()),
    (60, 4100, (2,)),
    (0, 5, ()),
    (0, 4100, ()),
    (1, 4100, ()),
]


def whole_numbers(
    rows: int, classes: int, heads: tuple[int, ...], dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return features, weight, bias and targets whose logits are small whole numbers: many ties."""
    generator = torch.Generator().manual_seed(rows + classes)

    def draw(*shape: int) -> Tensor:
        return torch.randint(-2, 3, shape, generator=generator).to(dtype)

    targets = torch.randint(-1, classes, (rows,), generator=generator)
    return draw(rows, 6), draw(*heads, classes, 6), draw(*heads, classes), targets


def added(
    features: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, **options: Any
) -> ops.ClassificationState:
    layout = ops.ClassificationLayout.of(weight.size(-2))
    state = layout.empty(tuple(weight.shape[:-2]))
    ops.linear_classification_statistics_(state, features, weight, bias, targets, **options)
    return state


def assert_like_oracle(
    state: ops.ClassificationState, logits: Tensor, targets: Tensor, ignore_index: int | None
) -> None:
    expected = oracle.statistics(logits.double().numpy(), targets.numpy(), ignore_index)
    for name, field in state.fields.items():
        want = torch.as_tensor(expected[name])
        if field.dtype == torch.int64:
            assert torch.equal(field, want), name
        else:
            tolerance = TOLERANCES[logits.dtype]
            torch.testing.assert_close(field, want, rtol=tolerance, atol=1e-30, msg=name)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_like_the_oracle_on_the_logits(
    shape: tuple[int, int, tuple[int, ...]], dtype: torch.dtype
) -> None:
    rows, classes, heads = shape
    features, weight, bias, targets = whole_numbers(rows, classes, heads, dtype)
    state = added(features, weight, bias, targets, ignore_index=-1)
    for head in np.ndindex(heads):
        alone = ops.ClassificationState(state.layout, state.counts[head], state.sums[head])
        logits = linear(features, weight[head], bias[head])
        assert_like_oracle(alone, logits, targets, -1)


@pytest.mark.parametrize("classes", [10, 1000, 4100])
def test_rows_are_those_of_the_logits(classes: int) -> None:
    features, weight, bias, targets = whole_numbers(600, classes, (), torch.float64)
    rows = torch.empty(600, 3, dtype=torch.int64), torch.empty(600, 4, dtype=torch.float64)
    added(features, weight, bias, targets, ignore_index=-1, rows=rows)
    again = torch.empty_like(rows[0]), torch.empty_like(rows[1])
    state = ops.ClassificationLayout.of(classes).empty()
    logits = linear(features, weight, bias)
    ops.classification_statistics_(state, logits, targets, ignore_index=-1, rows=again)
    assert torch.equal(rows[0], again[0])
    torch.testing.assert_close(rows[1], again[1], rtol=1e-12, atol=1e-30, equal_nan=True)


def test_rows_and_weights_of_each_head_are_its_own() -> None:
    features, weight, bias, targets = whole_numbers(130, 10, (3,), torch.float64)
    rows = torch.empty(3, 130, 3, dtype=torch.int64), torch.empty(3, 130, 4, dtype=torch.float64)
    weights = torch.arange(390).view(3, 130) % 4
    state = added(features, weight, bias, targets, rows=rows, weights=weights)
    for head in range(3):
        own = torch.empty_like(rows[0][0]), torch.empty_like(rows[1][0])
        alone = added(features, weight[head], bias[head], targets, rows=own, weights=weights[head])
        assert torch.equal(state.counts[head], alone.counts)
        torch.testing.assert_close(state.sums[head], alone.sums, rtol=1e-12, atol=1e-30)
        assert torch.equal(rows[0][head], own[0])
        torch.testing.assert_close(rows[1][head], own[1], rtol=1e-12, atol=1e-30, equal_nan=True)


@pytest.mark.parametrize("classes", [10, 100, 4100])
@pytest.mark.parametrize(
    "change", ["nan", "inf", "-inf", "huge", "zero features", "no bias", "strided", "invalid"]
)
def test_hostile(change: str, classes: int) -> None:
    features, weight, bias, targets = whole_numbers(40, classes, (), torch.float32)
    given: Tensor | None = bias
    match change:
        case "nan" | "inf" | "-inf":
            features[3, 2] = features[7, 0] = float(change)
            weight[:, [0, 2]] = 1.0  # times which they stay what they are
        case "huge":
            features[5] *= 2.0**110
        case "zero features":
            features.zero_()
        case "no bias":
            given = None
        case "strided":
            features = features.repeat(1, 2)[:, ::2].contiguous().t().contiguous().t()
            weight = weight.t().contiguous().t()
        case "invalid":
            targets[2], targets[9] = classes, -7
    state = added(features, weight, given, targets, ignore_index=-1)
    assert_like_oracle(state, linear(features, weight, given), targets, -1)


def test_real_logits_agree_but_for_rounding() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1200, 768, generator=generator)
    weight = torch.randn(5000, 768, generator=generator) / 9
    targets = torch.randint(5000, (1200,), generator=generator)
    state, whole = added(features, weight, None, targets), ops.ClassificationLayout(5000, 15, False)
    expected = whole.empty()
    ops.classification_statistics_(expected, linear(features, weight), targets)
    fields = expected.fields
    assert int(state.fields["n"]) == 1200
    for name in ("nll", "brier", "entropy"):
        torch.testing.assert_close(state.fields[name], fields[name], rtol=1e-6, atol=0)
    # The rank of a target that is predicted is 0, whatever the product rounds to.
    assert state.fields["rank"][0] == state.fields["correct"].sum()
    positions = torch.arange(5000, dtype=torch.float64)
    ranks = [float((part["rank"] * positions).sum()) for part in (state.fields, fields)]
    assert math.isclose(*ranks, rel_tol=1e-4)


@pytest.mark.parametrize(("rows", "classes"), [(3000, 10), (1100, 1000), (1100, 4100), (9, 4100)])
def test_same_bytes_for_any_number_of_threads(rows: int, classes: int, kernel: str) -> None:
    if kernel == "reference":
        pytest.skip("torch's product of these sizes may round by the number of threads")
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(rows, 300, generator=generator)
    weight = torch.randn(classes, 300, generator=generator) / 6
    targets = torch.randint(classes, (rows,), generator=generator)
    threads, states = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3, 1):
            torch.set_num_threads(count)
            states.append(added(features, weight, None, targets))
    finally:
        torch.set_num_threads(threads)
    for state in states[1:]:
        assert torch.equal(state.counts, states[0].counts)
        assert torch.equal(state.sums, states[0].sums)


def test_parameters_of_a_module_need_no_detaching() -> None:
    head = torch.nn.Linear(6, 5)
    features, targets = torch.randn(9, 6, requires_grad=True), torch.arange(9) % 5
    state = added(features, head.weight, head.bias, targets)
    assert int(state.fields["n"]) == 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.zeros(3, 6, dtype=torch.int64)}, "features are torch.int64"),
        ({"features": torch.zeros(3, 2, 6)}, "must be"),
        ({"features": torch.zeros(3, 5)}, "5 columns"),
        ({"features": torch.zeros(3, 6).double()}, "they must be the same"),
        ({"weight": torch.zeros(4, 6), "bias": torch.zeros(4)}, "counts is"),
        ({"bias": torch.zeros(4)}, "bias is torch.float32 of shape"),
        ({"targets": torch.zeros(4, dtype=torch.int64)}, "there are 3 rows"),
        ({"targets": torch.zeros(3)}, "targets are torch.float32"),
    ],
)
def test_refused(change: dict[str, Tensor], message: str) -> None:
    given: dict[str, Any] = {
        "features": torch.zeros(3, 6),
        "weight": torch.zeros(5, 6),
        "bias": torch.zeros(5),
        "targets": torch.zeros(3, dtype=torch.int64),
        **change,
    }
    with pytest.raises(DataError, match=message):
        ops.linear_classification_statistics_(ops.ClassificationLayout.of(5).empty(), **given)


@pytest.mark.parametrize("classes", [5, 4100])
def test_registration(classes: int) -> None:
    features, weight, bias, targets = whole_numbers(20, classes, (), torch.float32)
    state = ops.ClassificationLayout.of(classes).empty()
    arguments = (state.counts, state.sums, features, weight, bias, targets)
    confusion = {"confusion": state.layout.confusion}
    torch.library.opcheck(OP, arguments, confusion)


def test_fake_refuses_like_the_op() -> None:
    with FakeTensorMode(), pytest.raises(DataError, match="5 columns"):
        OP(
            torch.zeros(1, dtype=torch.int64),
            torch.zeros(1, dtype=torch.float64),
            torch.zeros(3, 5),
            torch.zeros(5, 6),
            None,
            torch.zeros(3, dtype=torch.int64),
        )
