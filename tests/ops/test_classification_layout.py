from __future__ import annotations

import pytest
import torch

from ftcore.ops import ClassificationLayout

SMALL = ClassificationLayout(classes=3, bins=2)


def test_fields_lie_in_the_documented_order() -> None:
    state = SMALL.empty()
    state.counts.copy_(torch.arange(state.counts.numel()))
    state.sums.copy_(torch.arange(state.sums.numel()))
    assert {name: field.tolist() for name, field in state.fields.items()} == {
        "n": 0,
        "ignored": 1,
        "non_finite": 2,
        "invalid": 3,
        "rank": [4, 5, 6],
        "support": [7, 8, 9],
        "predicted": [10, 11, 12],
        "correct": [13, 14, 15],
        "bin_count": [16, 17],
        "bin_correct": [18, 19],
        "confusion": [[20, 21, 22], [23, 24, 25], [26, 27, 28]],
        "nll": 0,
        "brier": 1,
        "entropy": 2,
        "bin_confidence": [3, 4],
    }


def test_counts_are_int64_and_sums_float64() -> None:
    state = SMALL.empty()
    assert (state.counts.dtype, state.sums.dtype) == (torch.int64, torch.float64)
    assert state.counts.shape == (SMALL.sizes[0],)
    assert state.sums.shape == (SMALL.sizes[1],)
    assert not state.counts.any()
    assert not state.sums.any()


def test_fields_are_views_of_the_state() -> None:
    state = SMALL.empty()
    state.fields["confusion"][1, 2] += 5
    assert state.counts.sum() == 5


def test_heads_lead_every_field() -> None:
    fields = SMALL.empty(heads=(4, 2)).fields
    assert fields["n"].shape == (4, 2)
    assert fields["confusion"].shape == (4, 2, 3, 3)
    assert fields["bin_confidence"].shape == (4, 2, 2)


@pytest.mark.parametrize(("classes", "kept"), [(1, True), (1024, True), (1025, False)])
def test_confusion_is_kept_for_up_to_1024_classes(classes: int, kept: bool) -> None:
    layout = ClassificationLayout.of(classes)
    assert layout.confusion is kept
    assert ("confusion" in layout.count_fields) is kept
