from __future__ import annotations

import pytest

from ftcore.record import (
    CalibrationRecord,
    CountsRecord,
    DifferenceRecord,
    FreezeRecord,
    LeaksRecord,
    MetricValue,
    Record,
    WeightsRecord,
)
from ftcore.record.comparison import Verdict
from ftcore.reports.card import format_value, render_card
from tests.reports.test_robustness import WHOLE


def make_record(note: str = "", value: float | None = 0.953) -> Record:
    metric = MetricValue(value=value, low=0.928, high=0.972, n=359, method="Wilson score")
    return Record(
        kind="run",
        directory="runs/digits-resnet18-bottom-1",
        task="classification",
        metrics=dict.fromkeys(("accuracy", "f1_macro", "mcc", "nll", "brier"), metric),
        baselines={"majority class": {"accuracy": metric}},
        freeze=FreezeRecord(
            parameters=11_181_642,
            trained=5_130,
            frozen=11_176_512,
            frozen_bytes=44_744_448,
            changed_bytes=0,
            sha256_before="ab",
            sha256_after="ab",
            phases=(0,),
            stages=(),
        ),
        weights=WeightsRecord(name="random", note=note),
        counts=CountsRecord(splits={"test": 359}, evaluated=359),
        seed=0,
        config={"backbone": "resnet18", "freeze": "bottom", "dataset": "digits"},
        timings={"training": 1.23, "test": 0.01},
        environment={},
        created="2026-01-01T00:00:00+00:00",
    )


def test_the_card_says_what_replaced_the_weights_not_why() -> None:
    text = "\n".join(render_card(make_record("net starts from random weights: no network")))
    assert "net starts from random weights" in text
    assert "no network" not in text


def test_the_card_says_what_matters() -> None:
    text = "\n".join(render_card(make_record()))
    for words in (
        "resnet18 · freeze bottom · digits · seed 0",
        "0.9530  [0.9280, 0.9720]  95 % interval, 359 test examples",
        "2 more with --json",
        "majority class",
        "5,130 of 11,181,642 parameters (0.05%)",
        "0 bytes changed",
        "random; nothing was pretrained",
        "1.2 s (training 1.2)",
        "ftcore predict runs/digits-resnet18-bottom-1",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("directory", "words"), [("runs/x", "evaluated again"), (None, "evaluated as it came")]
)
def test_an_evaluation_says_what_it_scored(directory: str | None, words: str) -> None:
    change = {"kind": "evaluation", "directory": directory}
    assert words in render_card(make_record().model_copy(update=change))[0]


def make_gain(
    difference: float | None, verdict: Verdict, *, higher_is_better: bool = True
) -> DifferenceRecord:
    ends = (None, None) if difference is None else (difference - 0.02, difference + 0.02)
    return DifferenceRecord(
        metric="accuracy",
        value=0.9,
        reference=0.8,
        difference=difference,
        low=ends[0],
        high=ends[1],
        method="made up",
        higher_is_better=higher_is_better,
        p=None,
        verdict=verdict,
        more=None,
    )


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (make_gain(0.1, "better"), "run adds +0.100 [+0.080, +0.120]"),
        (make_gain(-0.1, "worse"), "run worse by 0.100 [0.080, 0.120]"),
        (make_gain(-0.1, "better", higher_is_better=False), "run better by 0.100 [0.080, 0.120]"),
        (make_gain(0.01, "worse", higher_is_better=False), "run worse by 0.010 [-0.010, 0.030]"),
        (make_gain(-0.01, "no difference shown"), "no difference shown (-0.010)"),
        (make_gain(None, "no difference shown"), "baseline accuracy"),
    ],
)
def test_each_baseline_says_what_the_run_added(gain: DifferenceRecord, words: str) -> None:
    record = make_record()
    metric = record.metrics["accuracy"]
    change = {
        "baselines": {"knn": {"accuracy": metric}},
        "gains": {"knn": {"accuracy": gain}},
    }
    (line,) = (row for row in render_card(record.model_copy(update=change)) if "k-NN" in row)
    assert line == f"k-NN      0.9530  [0.9280, 0.9720]  {words}"


LEAKS = LeaksRecord(
    how=(), exact=9, near=3, in_train=12, conflicts=0, pairs=(), kept=347,
    metrics={"accuracy": MetricValue(value=0.61, low=0.5, high=0.7, n=347, method="x")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "12 of 359 test examples are in train (3 of them nearly); without them accuracy 0.61"),
        ({"near": None, "in_train": 5, "kept": 350}, "9 of 359 test examples are in train or val;"),
        ({"metrics": {}, "note": "every one is"}, "(3 of them nearly); every one is"),
    ],
)
def test_the_card_says_what_was_leaked(change: dict[str, object], words: str) -> None:
    leaks = LEAKS.model_copy(update=change)
    lines = render_card(make_record().model_copy(update={"leaks": leaks}), 200)
    assert [words in line for line in lines if line.startswith("leaked")] == [True]


@pytest.mark.parametrize("leaks", [None, LEAKS.model_copy(update={"exact": 0, "near": 0})])
def test_the_card_is_silent_where_nothing_leaked(leaks: LeaksRecord | None) -> None:
    lines = render_card(make_record().model_copy(update={"leaks": leaks}))
    assert not any(line.startswith("leaked") for line in lines)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_lines_fit_the_terminal(width: int) -> None:
    note = "a note that is much longer than any terminal is wide, " * 3
    record = make_record(note)
    gains = {"majority class": {"accuracy": make_gain(0.1, "better")}}
    lines = render_card(record.model_copy(update={"gains": gains}), width)
    assert max(map(len, lines)) <= width
    assert len(render_card(make_record(), 80)) <= 15


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (MetricValue(value=None, n=3, method="none"), "undefined"),
        (MetricValue(value=0.5, n=3, method="none"), "0.5000"),
        (MetricValue(value=0.5, low=0.25, high=1, n=3, method="x"), "0.5000  [0.2500, 1.0000]"),
    ],
)
def test_values_with_and_without_an_interval(metric: MetricValue, text: str) -> None:
    assert format_value(metric) == text


def calibration(*, is_bounded: bool) -> CalibrationRecord:
    before, after = (
        MetricValue(value=value, n=359, method="bootstrap") for value in (0.0612, 0.0241)
    )
    return CalibrationRecord(
        temperature=1.4213,
        is_bounded=is_bounded,
        n=1399,
        before={"ece": before, "nll": before},
        after={"ece": after, "nll": after},
        change={},
    )


def test_the_card_says_what_a_temperature_does() -> None:
    record = make_record().model_copy(update={"calibration": calibration(is_bounded=False)})
    text = " ".join(" ".join(render_card(record)).split())
    assert "calibration ece 0.061 → 0.024 at temperature 1.42, fitted on val" in text
    assert "bound" not in text
    bounded = make_record().model_copy(update={"calibration": calibration(is_bounded=True)})
    assert "at the bound of what is tried" in " ".join(" ".join(render_card(bounded)).split())


@pytest.mark.parametrize("width", [40, 80])
def test_the_card_ends_with_the_corruptions(width: int) -> None:
    lines = render_card(make_record().model_copy(update={"corruptions": WHOLE}), width)
    assert all(len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    assert (
        "0.7500 [0.1000, 0.9000] mean accuracy over 2 corruptions at severity 1, 2, 3, 4, 5" in text
    )
    assert "0.2500 [0.1000, 0.9000] mean corruption error, not divided by AlexNet's" in text
    assert "relative mCE 0.1250" in text
    assert lines[-3].startswith("accuracy")
    assert lines[-1].startswith("elastic_transform")
