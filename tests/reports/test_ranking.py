from __future__ import annotations

import pytest

from ftcore.record import (
    CostRecord,
    LatencyRecord,
    MetricValue,
    RankedBackbone,
    RankingRecord,
    VerifiedRun,
    WeightsRecord,
)
from ftcore.reports.ranking import TITLES, render_ranking
from ftcore.studies.ranking.scores import NAMES
from ftcore.studies.ranking.verification import verify


def make_backbone(name: str, score: float, milliseconds: float) -> RankedBackbone:
    latency = LatencyRecord(
        examples=1, seconds=milliseconds / 1e3, low=milliseconds / 1e3, high=1.0, rounds=9
    )
    return RankedBackbone(
        name=name,
        weights=WeightsRecord(name="random" if score < 0 else "x.pth", training_data="ImageNet"),
        feature_dim=512,
        scores={**dict.fromkeys(NAMES, score), "leep": None},
        undefined={"leep": "the weights came without a head"},
        cost=CostRecord(
            parameters=11_200_000,
            flops=3_628_146_688,
            uncounted=("aten.relu_",),
            one=latency,
            batch=latency.model_copy(update={"examples": 16}),
            memory_bytes=103_000_000,
            memory_method="tensors alive at once",
            threads=1,
            device="cpu",
        ),
        is_undominated=score > 0,
    )


def make_record() -> RankingRecord:
    ranked = [
        make_backbone("resnet18", 0.5, 49.8),
        make_backbone("resnet20:weights=some/long/folder/resnet20-12fca82f.th", -0.25, 55.0),
    ]
    value = MetricValue(value=0.9, low=0.85, high=0.93, n=100, method="Wilson")
    runs = {each.name: [VerifiedRun(seed=0, val=0.8, val_loss=1.0, test=value)] for each in ranked}
    return RankingRecord(
        directory="runs/digits-ranking-1",
        dataset="digits",
        task="classification",
        score="logme",
        sort="logme",
        examples=1437,
        available=1437,
        classes=("0", "1"),
        backbones=(*ranked, RankedBackbone(name="lost", failure="cannot read lost.th")),
        verification=verify(ranked, runs, "accuracy", 1.0),
        notes=("a note that is much longer than any terminal is wide, " * 3,),
        config={"dataset": "digits"},
        timings={},
        environment={},
        created="2026-01-01T00:00:00+00:00",
    )


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_lines_fit_the_terminal(width: int) -> None:
    assert max(map(len, render_ranking(make_record(), width))) <= width


def test_the_tables_say_what_matters() -> None:
    text = "\n".join(render_ranking(make_record(), 100))
    for words in (
        "digits · 3 backbones ranked by LogME on 1,437 training examples",
        "resnet18                  *    0.5  49.8",
        "resnet20:we…-12fca82f.th     -0.25  55.0",
        "3.63  11.20 M  103 MB",
        "ImageNet",
        "random",
        "0.8000  0.9000  0.8500  0.9300  chosen",
        "caution: 2 backbones are few",
        "failed: lost: cannot read lost.th",
        "files: runs/digits-ranking-1",
    ):
        assert words in text


def test_every_score_has_a_title() -> None:
    assert TITLES.keys() == set(NAMES)


def test_where_all_failed_the_failures_are_what_is_shown() -> None:
    failed = (RankedBackbone(name="lost", failure="gone"),)
    record = make_record().model_copy(update={"backbones": failed, "verification": None})
    assert "failed: lost: gone" in render_ranking(record)
