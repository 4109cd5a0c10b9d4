from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from ftcore.engine.baselines.work import estimate
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import prepare
from ftcore.interfaces import Stage
from tests.engine.test_run import make_parts

# 3 x 3 convolutions at the 16 places of 4 x 4: 2 to 4, 4 to 6 and 6 to 8 channels; then a head.
STAGES = [16 * 9 * 2 * 4, 16 * 9 * 4 * 6, 16 * 9 * 6 * 8, 0]
HEAD = 8 * 3
ALL = sum(STAGES) + HEAD
TRAIN, VAL, TEST, EPOCHS = 45, 15, 30, 3
EVERYTHING = EPOCHS * (3 * ALL * TRAIN + ALL * VAL) + ALL * TEST


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"freeze": "none"}, EVERYTHING),
        (
            {"freeze": "bottom"},
            sum(STAGES) * 90 + EPOCHS * (3 * HEAD * TRAIN + HEAD * VAL) + HEAD * TEST,
        ),
        (
            {"freeze": "bottom", "cache": "off"},
            EPOCHS * ((ALL + 2 * HEAD) * TRAIN + ALL * VAL) + ALL * TEST,
        ),
        (
            {"freeze": "bottom:2"},
            sum(STAGES[:2]) * 90
            + EPOCHS * (3 * (STAGES[2] + HEAD) * TRAIN + (STAGES[2] + HEAD) * VAL)
            + (STAGES[2] + HEAD) * TEST,
        ),
        (
            {"freeze": "lp-ft:probe_epochs=2"},
            sum(STAGES) * (TRAIN + VAL)
            + 2 * (3 * HEAD * TRAIN + HEAD * VAL)
            + 3 * ALL * TRAIN
            + ALL * VAL
            + ALL * TEST,
        ),
    ],
    ids=str,
)
def test_work_is_counted_as_by_hand(options: dict[str, Any], expected: int) -> None:
    work = estimate(prepare(make_parts(**options), Observer()))
    assert work.run == expected
    assert work.scratch == EVERYTHING
    assert work.ratio == pytest.approx(EVERYTHING / expected)


def test_a_weight_of_attention_counts_at_each_token() -> None:
    class Attend(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, maps: torch.Tensor) -> torch.Tensor:
            tokens = maps.flatten(2).transpose(1, 2)
            attended: torch.Tensor = self.attention(tokens, tokens, tokens)[0].mean(1)
            return attended

    parts = make_parts(freeze="none")
    stages = (*parts.backbone.stages[:3], Stage("attend", Attend()))
    backbone = replace(parts.backbone, stages=stages)
    work = estimate(prepare(replace(parts, backbone=backbone), Observer()))
    more = work.run / (EPOCHS * (3 * TRAIN + VAL) + TEST) - ALL
    assert more == pytest.approx(16 * 3 * 8 * 8)  # queries, keys and values of 16 tokens
