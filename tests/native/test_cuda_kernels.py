"""The CUDA kernels, run on the CPU, against the oracle. See emulator.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.native.emulator import DTYPES, Call, Emulator
from tests.ops import oracle
from tests.ops.test_classification import (
    CASES,
    assert_equal,
    hostile,
    oracle_of,
    random_batch,
    tolerance,
)

ROWS = {1000: 20, 2048: 9, 5000: 5}


def run(emulator: Emulator, logits: Tensor, targets: Tensor, ignore: int | None = None) -> Call:
    call = Call(logits.unsqueeze(0), targets, ignore_index=ignore)
    emulator.score(call)
    return call


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("classes", [1, 3, 10, 31, 32, 33, 100, 257, 1000, 2048, 5000])
@pytest.mark.parametrize("layout", ["rows", "spaced rows", "classes first", "images"])
def test_sizes_and_strides_equal_the_oracle(
    classes: int, dtype: torch.dtype, layout: str, emulator: Emulator
) -> None:
    rows = ROWS.get(classes, 66)
    logits, targets = random_batch(rows, classes, seed=rows + classes)
    logits, targets = logits.to(dtype), targets.where(targets != 2, 99999)
    logits[rows // 2, classes // 3] = logits[rows // 2].max()  # a tie
    expected = oracle_of(logits, targets, 99999)
    given = logits.unsqueeze(0)
    if layout == "spaced rows":  # which begin at any place between multiples of 16 bytes
        spaced = torch.full((rows, classes + 3), math.nan, dtype=dtype)
        spaced[:, 1:-2] = logits
        given = spaced[:, 1:-2].unsqueeze(0)
    elif layout == "classes first":
        given = logits.t().contiguous().t().unsqueeze(0)
    elif layout == "images":
        inner = 11 if rows % 11 == 0 else 1
        given = logits.view(-1, inner, classes).movedim(-1, 1).contiguous().unsqueeze(0)
    call = Call(given, targets, ignore_index=99999)
    emulator.score(call)
    assert_equal(call.fields(), expected, tolerance("native", dtype))


@pytest.mark.parametrize(
    ("classes", "way"), [(1, "columns"), (3, "staged"), (33, "warps"), (2049, "blocks")]
)
def test_each_way_is_taken(classes: int, way: str, emulator: Emulator) -> None:
    assert emulator.way_of(Call(torch.zeros(1, 2, classes), torch.zeros(2).long())) == way


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("padded", [0, 40, 2100], ids=["staged", "warps", "blocks"])
@pytest.mark.parametrize("case", CASES)
def test_hostile_rows_equal_the_oracle(
    case: str, padded: int, dtype: torch.dtype, emulator: Emulator
) -> None:
    logits, targets, ignore_index = hostile(case, dtype)
    if logits.numel() and padded:
        # Classes that change nothing but the way, far below the others though not enormous.
        floor = torch.full((len(logits), padded), -60000.0, dtype=dtype)
        logits = torch.cat([logits, floor], -1)
    call = run(emulator, logits, targets, ignore_index)
    assert_equal(
        call.fields(), oracle_of(logits, targets, ignore_index), tolerance("native", dtype)
    )


@pytest.mark.parametrize("classes", [5, 40, 2100])
def test_enormous_rows_and_those_below_every_other_are_scored(
    classes: int, emulator: Emulator
) -> None:
    logits, targets = random_batch(6, classes)
    logits[1] = -3e38
    logits[2, 0], logits[2, 1] = 3e38, -3e38
    logits[3], logits[3, 4] = -2e30, -1e30
    logits[4], logits[4, classes - 1] = -(2.0**100), -(2.0**100)
    assert_equal(run(emulator, logits, targets).fields(), oracle_of(logits, targets, None))


@pytest.mark.parametrize("classes", [10, 100, 3000])
def test_confident_rows_keep_their_digits(classes: int, emulator: Emulator) -> None:
    logits, targets = random_batch(12, classes)
    logits[torch.arange(12), targets] += 15
    assert_equal(run(emulator, logits, targets).fields(), oracle_of(logits, targets, None))


@pytest.mark.parametrize("classes", [3, 15, 60])
def test_confidences_on_the_edge_of_a_bin_fall_into_the_bin_of_float64(
    classes: int, emulator: Emulator
) -> None:
    generator = torch.Generator().manual_seed(0)
    tied = (
        torch.rand(64, classes, generator=generator).argsort(-1)
        < 1 + torch.arange(64)[:, None] % classes
    )
    logits = torch.zeros(64, classes).masked_fill(~tied, -200)
    targets = torch.zeros(64, dtype=torch.int64)
    assert_equal(run(emulator, logits, targets).fields(), oracle_of(logits, targets, None))


def test_long_sums_of_equal_terms_keep_their_digits(emulator: Emulator) -> None:
    # Of 5,000 equal terms added to one float32, each addition would round the same way.
    logits, targets = torch.full((3, 5000), -1.7), torch.tensor([0, 1, 4999])
    logits[:, 0] = 3.1
    expected = oracle_of(logits, targets, None)
    assert_equal(run(emulator, logits, targets).fields(), expected)
    call = run(emulator, logits.t().contiguous().t(), targets)
    assert_equal(call.fields(), expected)


@pytest.mark.parametrize("classes", [5, 40, 2100])
@pytest.mark.parametrize("case", ["plain", "ignored in part", "invalid targets", "plus infinity"])
def test_rows_come_back(case: str, classes: int, emulator: Emulator) -> None:
    logits, targets, ignore_index = hostile(case, torch.float32)
    padding = torch.full((len(logits), classes - logits.size(-1)), -50.0)
    logits = torch.cat([logits, padding], -1)
    call = Call(logits.unsqueeze(0), targets, ignore_index=ignore_index, has_rows=True)
    emulator.score(call)
    for z, target, label, value in zip(
        logits.numpy(), targets.tolist(), call.labels[0].tolist(), call.values[0].tolist(),
        strict=True,
    ):  # fmt: skip
        if oracle.outcome(z, target, ignore_index) == "n":
            row = oracle.score(z, target)
            assert label == [row.target, row.prediction, row.rank]
            exact = [row.confidence, row.nll, row.brier, row.entropy]
            assert value == pytest.approx(exact, rel=2e-6, abs=1e-30)
        else:
            assert label == [target, -1, -1]
            assert all(math.isnan(number) for number in value)


def weighted_oracle(logits: Tensor, targets: Tensor, weights: Tensor) -> dict[str, oracle.Array]:
    """A row of weight w is there w times; one of a negative weight is taken away as often."""
    parts = []
    for sign in (1, -1):
        times = (sign * weights).clamp_min(0)
        parts.append(
            oracle_of(logits.repeat_interleave(times, 0), targets.repeat_interleave(times), None)
        )
    return {name: parts[0][name] - parts[1][name] for name in parts[0]}


@pytest.mark.parametrize("classes", [4, 40, 1500, 2100])
def test_rows_count_as_often_as_their_weights_say(classes: int, emulator: Emulator) -> None:
    logits, targets = random_batch(24, classes)
    weights = torch.arange(24) % 6 - 2
    logits[3, 1] = logits[6, 2] = math.nan
    targets[2], targets[7] = -1, classes
    call = Call(logits.unsqueeze(0), targets, weights=weights, has_rows=True)
    emulator.score(call)
    # Terms of both signs: what is left may be small beside each.
    assert_equal(call.fields(), weighted_oracle(logits, targets, weights), (1e-5, 1e-6))
    assert (call.labels[0, weights == 0, 1:] == -1).all()
    assert call.values[0, weights == 0].isnan().all()


@pytest.mark.parametrize("classes", [4, 40, 1500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("weight", [2**20 - 1, 2**20, -(2**20), 2**40 + 3, -(2**50)])
def test_weights_may_be_large(
    weight: int, dtype: torch.dtype, classes: int, emulator: Emulator
) -> None:
    logits, targets = random_batch(7, classes)
    logits[0, targets[0]] = 80  # a confidence of 1
    call = Call(logits.to(dtype).unsqueeze(0), targets, weights=torch.full((7,), weight))
    emulator.score(call)
    once = oracle_of(logits.to(dtype), targets, None)
    expected = {name: values * weight for name, values in once.items()}
    assert_equal(call.fields(), expected, tolerance("native", dtype))


@pytest.mark.parametrize("weights", [None, "shared", "own"])
def test_each_head_gets_its_own_statistics(weights: str | None, emulator: Emulator) -> None:
    for classes in (5, 40):
        batches = [random_batch(30, classes, seed)[0] for seed in range(3)]
        logits, targets = torch.stack(batches, dim=1), random_batch(30, classes)[1]
        of_head = torch.randint(0, 3, (3, 30), generator=torch.Generator().manual_seed(1))
        times = of_head[0] if weights == "shared" else of_head if weights == "own" else None
        call = Call(logits.movedim(1, 0), targets, weights=times, has_rows=True)
        emulator.score(call)
        for head, batch in enumerate(batches):
            own = None if times is None else times if times.dim() == 1 else times[head]
            alone = Call(batch.unsqueeze(0), targets, weights=own, has_rows=True)
            emulator.score(alone)
            assert torch.equal(call.state.counts[head], alone.state.counts[0])
            torch.testing.assert_close(call.state.sums[head], alone.state.sums[0])
            assert torch.equal(call.labels[head], alone.labels[0])
            torch.testing.assert_close(call.values[head], alone.values[0], equal_nan=True)


def test_many_rows_are_added_up_over_blocks_and_passes(emulator: Emulator) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(300_000, 2, generator=generator)  # more than 2,048 blocks of 128 rows
    targets = torch.randint(2, (300_000,), generator=generator)
    first = run(emulator, logits, targets)
    fields = first.fields()
    z = logits.double()
    nll = torch.nn.functional.cross_entropy(z, targets, reduction="sum")
    torch.testing.assert_close(fields["nll"], nll, rtol=1e-6, atol=0)
    confidences = z.softmax(-1).amax(-1)
    torch.testing.assert_close(fields["bin_confidence"].sum(), confidences.sum(), rtol=1e-6, atol=0)
    correct = (z.argmax(-1) == targets).sum()
    assert fields["n"] == len(targets)
    assert fields["correct"].sum() == fields["rank"][0] == fields["bin_correct"].sum() == correct
    again = run(emulator, logits, targets)
    assert torch.equal(again.state.sums, first.state.sums)


@pytest.mark.parametrize("bins", [1, 100, 1024])
@pytest.mark.parametrize("classes", [20, 100])
def test_any_number_of_bins(classes: int, bins: int, emulator: Emulator) -> None:
    logits, targets = random_batch(40, classes)
    call = Call(logits.double().unsqueeze(0), targets, bins=bins, confusion=False)
    emulator.score(call)
    expected = oracle.statistics(logits.double().numpy(), targets.numpy(), bins=bins)
    assert "confusion" not in call.fields()
    assert_equal(call.fields(), expected, (1e-12, 1e-300))


def test_the_state_is_added_to(emulator: Emulator) -> None:
    call = Call(random_batch(9, 5)[0].unsqueeze(0), random_batch(9, 5)[1])
    emulator.score(call)
    once = (call.state.counts.clone(), call.state.sums.clone())
    emulator.score(call)
    assert torch.equal(call.state.counts, 2 * once[0])
    np.testing.assert_array_equal(call.state.sums, 2 * once[1])
