"""The CUDA kernels of ops with columns, run on the CPU, where the tests of the ops do not reach.

Those run them too, in test_cuda_ops.py; here reads are watched, and there are many chunks of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ftcore import ops
from ftcore.ops.layout import State
from tests.native.column_emulator import ColumnCall, ColumnEmulator
from tests.ops import test_multilabel, test_regression

# Columns, and so many rows that they are several chunks, the last of which is not full.
MANY = [(1, 9000), (5, 1700), (32, 290), (33, 520), (70, 330)]
INSIDE: dict[str, Callable[[Tensor], Tensor]] = {
    "rows": lambda given: given,
    "columns first": lambda given: given.t().contiguous().t(),
    "spaced": lambda given: _spaced(given),
}


def _spaced(given: Tensor) -> Tensor:
    """Return the same values amid others that are no numbers."""
    rows, columns = given.shape
    space = torch.full((rows, columns + 3), math.nan, dtype=given.dtype)
    space[:, 1:-2] = given
    return space[:, 1:-2]


def regression(
    emulator: ColumnEmulator, outputs: Tensor, targets: Tensor, weights: Tensor | None = None
) -> ops.RegressionState:
    heads = outputs.size(0)
    state = ops.RegressionLayout(outputs.size(-1), 0.5).empty((heads,))
    emulator.add_regression(ColumnCall(state, outputs, targets, weights, center=0.5))
    return state


def multilabel(
    emulator: ColumnEmulator, logits: Tensor, targets: Tensor, weights: Tensor | None = None
) -> ops.MultilabelState:
    state = ops.MultilabelLayout(logits.size(-1)).empty((logits.size(0),))
    emulator.add_multilabel(ColumnCall(state, logits, targets, weights, ignore_index=9))
    return state


def of_head(state: State[Any], head: int) -> State[Any]:
    return State(state.layout, state.counts[head], state.sums[head])


def hostile_rows(
    batch: tuple[Tensor, Tensor], targets: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor]:
    """Return a batch with values that are not scored far apart, and weights."""
    outputs, given = batch
    rows = len(outputs)
    outputs[rows // 2, 0], outputs[-1, -1] = math.nan, math.inf
    given[rows // 3, 0], given[-2, -1] = targets
    return outputs, given, torch.arange(rows) % 5 - 1


@pytest.mark.parametrize(("columns", "rows"), MANY)
@pytest.mark.parametrize("layout", INSIDE)
def test_regressions_of_many_chunks_equal_the_oracle(
    layout: str, columns: int, rows: int, column_emulator: ColumnEmulator
) -> None:
    assert column_emulator.chunks_of(rows, columns) > 2 or layout == "spaced"
    batch = test_regression.random_batch(rows, columns)
    outputs, targets, weights = hostile_rows(batch, (math.nan, math.inf))
    given = (INSIDE[layout](outputs).unsqueeze(0), INSIDE[layout](targets.double()))
    state = of_head(regression(column_emulator, *given, weights), 0)
    test_regression.assert_equals_oracle(state, outputs, targets, weights)


@pytest.mark.parametrize(("columns", "rows"), MANY)
@pytest.mark.parametrize("layout", INSIDE)
def test_labels_of_many_chunks_equal_the_oracle(
    layout: str, columns: int, rows: int, column_emulator: ColumnEmulator
) -> None:
    batch = test_multilabel.random_batch(rows, columns)
    logits, targets, weights = hostile_rows(batch, (9, 2))
    logits[: rows // 3] = (2 * targets[: rows // 3] - 1) * logits[: rows // 3].abs()  # exact rows
    given = INSIDE[layout](logits).unsqueeze(0)
    state = of_head(multilabel(column_emulator, given, targets, weights), 0)
    assert state.fields["exact"] != 0
    test_multilabel.assert_equals_oracle(state, (logits, targets), "native", weights, 9)


@pytest.mark.parametrize("weight", [2**17 - 1, 2**17, -(2**17), 2**40 + 3])
@pytest.mark.parametrize("labels", [5, 6])  # histograms in 32 bits, and in 64
def test_weights_may_be_large(weight: int, labels: int, column_emulator: ColumnEmulator) -> None:
    batch = test_multilabel.random_batch(40, labels)
    weights = torch.full((40,), weight)
    state = of_head(multilabel(column_emulator, batch[0].unsqueeze(0), batch[1], weights), 0)
    test_multilabel.assert_equals_oracle(state, batch, "native", weights, 9)


@pytest.mark.parametrize("columns", [1, 33, 65])
@pytest.mark.parametrize("weighted", ["no", "shared", "by head"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64], ids=str)
def test_each_head_gets_its_own_statistics(
    dtype: torch.dtype, weighted: str, columns: int, column_emulator: ColumnEmulator
) -> None:
    seeds = [test_regression.random_batch(40, columns, seed)[0] for seed in range(3)]
    outputs = torch.stack(seeds).to(dtype)
    by_head = torch.arange(120).view(3, 40) % 4 - 1
    weights = {"no": None, "shared": by_head[0], "by head": by_head}[weighted]
    for add, targets in (
        (regression, test_regression.random_batch(40, columns)[1].to(dtype)),
        (multilabel, test_multilabel.random_batch(40, columns)[1].to(torch.uint8)),
    ):
        state = add(column_emulator, outputs, targets, weights)
        for head in range(3):
            own = by_head[head] if weighted == "by head" else weights
            alone = add(column_emulator, outputs[head : head + 1], targets, own)
            assert torch.equal(state.counts[head], alone.counts[0])
            assert torch.equal(state.sums[head], alone.sums[0])


def test_a_read_outside_of_the_outputs_is_found(column_emulator: ColumnEmulator) -> None:
    outputs, targets = test_regression.random_batch(8, 3)
    call = ColumnCall(ops.RegressionLayout(3).empty((1,)), outputs.unsqueeze(0), targets)
    arguments = call.arguments()
    arguments.output_bytes -= 4
    call.arguments = lambda: arguments  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="outside of every tensor"):
        column_emulator.add_regression(call)
