"""What the ops with columns promise alike: heads, threads, tracing, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from ftcore import DataError, ops
from ftcore.ops.layout import Layout, State

pytestmark = pytest.mark.usefixtures("kernel")


@dataclass(frozen=True)
class ColumnOp:
    """One op, and what it takes."""

    name: str  # of the outputs
    layout: Callable[[int], Layout]
    add: Callable[..., None]
    op: Any
    targets: torch.dtype

    def batch(self, rows: int, columns: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        outputs = 3 * torch.randn(rows, columns, generator=generator)
        return outputs, (torch.rand(rows, columns, generator=generator) < 0.3).to(self.targets)

    def added(self, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> State[Any]:
        state = self.layout(outputs.size(-1)).empty()
        self.add(state, outputs, targets, weights=weights)
        return state


OPS = (
    ColumnOp(
        "outputs",
        ops.RegressionLayout,
        ops.regression_statistics_,
        torch.ops.ftcore.regression_statistics_,
        torch.float32,
    ),
    ColumnOp(
        "logits",
        ops.MultilabelLayout,
        ops.multilabel_statistics_,
        torch.ops.ftcore.multilabel_statistics_,
        torch.int64,
    ),
)
both = pytest.mark.parametrize("op", OPS, ids=["regression", "multilabel"])


def assert_same(a: State[Any], b: State[Any]) -> None:
    assert torch.equal(a.counts, b.counts)
    assert torch.equal(a.sums, b.sums)


@both
@pytest.mark.parametrize(
    "change",
    [
        lambda given: given.t().contiguous().t(),
        lambda given: given.repeat_interleave(2, 0)[::2],
        lambda given: given.view(2, 3, 4, 3),
        lambda given: given.view(4, 6, 3).transpose(0, 1).contiguous().transpose(0, 1),
    ],
    ids=["transposed", "every second", "images", "strange"],
)
def test_shape_and_strides_make_no_difference(
    op: ColumnOp, change: Callable[[Tensor], Tensor]
) -> None:
    outputs, targets = op.batch(24, 3)
    weights = torch.arange(24) % 3
    by_row = change(weights[:, None].expand(24, 3).contiguous())[..., 0]
    changed = op.added(change(outputs), change(targets), by_row)
    assert_same(changed, op.added(outputs, targets, weights))


@both
def test_outputs_may_be_expanded(op: ColumnOp) -> None:
    outputs, targets = op.batch(24, 3)
    for given in (outputs[:1].expand(24, 3), outputs[:, :1].expand(24, 3)):
        assert_same(op.added(given, targets), op.added(given.contiguous(), targets))


@both
def test_a_single_row_needs_no_row_dimension(op: ColumnOp) -> None:
    outputs, targets = op.batch(1, 5)
    assert_same(op.added(outputs[0], targets[0]), op.added(outputs, targets))


@both
@pytest.mark.parametrize("weighted", ["no", "shared", "by head"])
def test_each_head_gets_its_own_statistics(op: ColumnOp, weighted: str) -> None:
    outputs = torch.stack([op.batch(9, 4, seed)[0] for seed in range(6)]).view(3, 2, 9, 4)
    targets = op.batch(9, 4)[1]
    by_head = torch.arange(54).view(3, 2, 9) % 4 - 1
    weights = {"no": None, "shared": by_head[0, 0], "by head": by_head}[weighted]
    state = op.layout(4).empty(heads=(3, 2))
    op.add(state, outputs, targets, weights=weights)
    for head in np.ndindex(3, 2):
        own = by_head[head] if weighted == "by head" else weights
        alone = op.added(outputs[head], targets, own)
        assert torch.equal(state.counts[head], alone.counts)
        assert torch.equal(state.sums[head], alone.sums)


@both
def test_a_state_of_any_strides_is_added_to(op: ColumnOp) -> None:
    outputs, targets = op.batch(9, 3)
    alone = op.added(outputs, targets)
    layout = op.layout(3)
    counts, sums = (
        torch.zeros(size, 2, dtype=vector.dtype).t()[0]
        for size, vector in zip(layout.sizes, (alone.counts, alone.sums), strict=True)
    )
    op.add(State(layout, counts, sums), outputs, targets)
    assert_same(State(layout, counts, sums), alone)


@both
def test_batches_add_up_to_the_whole(op: ColumnOp) -> None:
    outputs, targets = op.batch(50, 4)
    whole, parts = op.added(outputs, targets), op.layout(4).empty()
    for start, stop in ((0, 7), (7, 7), (7, 50)):
        op.add(parts, outputs[start:stop], targets[start:stop])
    assert torch.equal(parts.counts, whole.counts)
    torch.testing.assert_close(parts.sums, whole.sums, rtol=1e-12, atol=1e-12)


@both
def test_a_row_taken_away_leaves_nothing(op: ColumnOp) -> None:
    outputs, targets = op.batch(10, 2)
    state = op.added(outputs, targets)
    op.add(state, outputs, targets, weights=torch.full((10,), -1))
    assert not state.counts.any()
    torch.testing.assert_close(state.sums, torch.zeros_like(state.sums), rtol=0, atol=1e-12)


@both
@pytest.mark.parametrize("shape", [(70000, 1), (3000, 50), (700, 200)], ids=str)
def test_same_bytes_for_any_number_of_threads(op: ColumnOp, shape: tuple[int, int]) -> None:
    batch, threads, states = op.batch(*shape), torch.get_num_threads(), []
    try:
        for count in (1, 2, 3, 1):
            torch.set_num_threads(count)
            states.append(op.added(*batch))
    finally:
        torch.set_num_threads(threads)
    for state in states[1:]:
        assert_same(state, states[0])


@both
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("weights", [None, torch.ones(7, dtype=torch.int64)], ids=["no", "yes"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_opcheck(op: ColumnOp, weights: Tensor | None, requires_grad: bool) -> None:
    outputs, targets = op.batch(7, 5)
    state = op.layout(5).empty()
    arguments = (state.counts, state.sums, outputs.requires_grad_(requires_grad), targets)
    torch.library.opcheck(op.op.default, arguments, {"weights": weights})


@both
def test_fake_tensors_are_checked_and_left_alone(op: ColumnOp) -> None:
    with FakeTensorMode():
        state = op.layout(5).empty()
        targets = torch.zeros(7, 5, dtype=op.targets)
        op.add(state, torch.zeros(7, 5), targets)
        with pytest.raises(DataError, match="targets have shape"):
            op.add(state, torch.zeros(8, 5), targets)


@both
def test_no_gradient_flows_into_the_state(op: ColumnOp) -> None:
    outputs, targets = op.batch(7, 5)
    assert not op.added(outputs.requires_grad_(), targets).sums.requires_grad


@both
@pytest.mark.parametrize(
    ("shape", "targets_shape", "weights", "message"),
    [
        ((4, 5), (4, 1), None, r"targets have shape \(4, 1\).* need \(4, 5\)"),
        ((4, 5), (4,), None, r"targets have shape \(4,\).* need \(4, 5\)"),
        ((4, 0), (4, 0), None, r"NAME have shape \(4, 0\)"),
        ((), (), None, r"NAME have shape \(\)"),
        ((4, 6), (4, 6), None, r"counts is torch\.int64 of shape"),
        ((4, 5), (4, 5), torch.ones(4), r"weights are torch\.float32"),
        ((4, 5), (4, 5), torch.ones(5).long(), r"weights have shape \(5,\).* need \(4,\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    op: ColumnOp,
    shape: tuple[int, ...],
    targets_shape: tuple[int, ...],
    weights: Tensor | None,
    message: str,
) -> None:
    outputs, targets = torch.zeros(shape), torch.zeros(targets_shape, dtype=op.targets)
    with pytest.raises(DataError, match=message.replace("NAME", op.name)):
        op.add(op.layout(5).empty(), outputs, targets, weights=weights)


@both
def test_other_devices_and_types_are_refused(op: ColumnOp) -> None:
    outputs, targets = op.batch(4, 5)
    state = op.layout(5).empty()
    with pytest.raises(DataError, match="on cpu, the others on meta"):
        op.add(state, outputs.to("meta"), targets)
    with pytest.raises(DataError, match=rf"{op.name} are torch\.int64"):
        op.add(state, outputs.long(), targets)
    with pytest.raises(DataError, match=r"sums is torch\.float32"):
        op.add(State(state.layout, state.counts, state.sums.float()), outputs, targets)


@both
def test_outputs_without_their_dimensions_of_heads_are_refused(op: ColumnOp) -> None:
    outputs, targets = op.batch(1, 5)
    with pytest.raises(DataError, match="1 dimensions of heads"):
        op.add(op.layout(5).empty(heads=(2,)), outputs[0], targets[0])
