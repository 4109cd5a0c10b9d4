from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.default_plugins.classification_metrics import accuracy, f1
from ftcore.engine.predictions import Predictions
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle
from ftcore.record import CountsRecord, MetricValue, Record
from ftcore.studies.candidates import Candidate, Scored
from ftcore.studies.comparison import compare

TASK = ClassificationTask()
CLASSES = ("a", "b")


def scored(
    skill: float, *, seed: int = 0, fold: int | None = None, count: int = 400, noise: int = 0
) -> Scored:
    """A run that is right on a share of examples, the same ones for runs of one `noise`."""
    generator = np.random.default_rng([noise, fold or 0])
    targets = torch.from_numpy(generator.integers(2, size=count))
    is_right = torch.from_numpy(generator.random(count) < skill)
    logits = torch.nn.functional.one_hot(torch.where(is_right, targets, 1 - targets), 2).double()
    bundle = DataBundle("", "classification", {}, CLASSES)
    statistics = TASK.statistics(bundle)
    TASK.update_(statistics, logits, targets)
    ids = [f"{fold}/{index}" for index in range(count)]
    value = MetricValue(value=float(is_right.double().mean()), n=count, method="test")
    record = Record(
        kind="run",
        directory=None,
        task="classification",
        metrics={"accuracy": value},
        classes=CLASSES,
        weights=None,
        counts=CountsRecord(splits={"train": 900, "val": 100, "test": count}, evaluated=count),
        seed=seed,
        config={},
        timings={},
        environment={},
        created="",
    )
    return Scored(fold, seed, record, Predictions.of(TASK, statistics, ids))


def one(name: str, skill: float, **options: Any) -> Candidate:
    return Candidate(name, (scored(skill, **options),))


def test_a_large_difference_is_shown_and_a_small_one_is_not() -> None:
    candidates = [one("base", 0.7), one("good", 0.9), one("same", 0.71), one("bad", 0.4)]
    record = compare(candidates, TASK, [accuracy()])
    verdicts = {pair.name: pair.differences[0].verdict for pair in record.pairs}
    assert verdicts == {"good": "better", "same": "no difference shown", "bad": "worse"}
    (good, same, _) = (pair.differences[0] for pair in record.pairs)
    assert good.low is not None
    assert 0 < good.low < (good.difference or 0) < (good.high or 0)
    assert same.more is not None
    assert same.more > 0
    assert good.more is None
    assert record.correction == "Holm"
    assert (good.p or 0) >= (good.tests[0].p or 0)


def test_mcnemar_is_from_the_examples_that_one_alone_gets_right() -> None:
    (pair,) = compare([one("a", 0.7), one("b", 0.75)], TASK, [accuracy()]).pairs
    first, second = pair.differences[0].tests
    assert first.name == "McNemar, mid-p"
    assert "only the first is right on 0 examples, only the second on" in first.note
    assert second.name == "paired bootstrap"


def test_a_metric_that_the_record_lacks_is_computed_from_the_rows() -> None:
    (pair,) = compare([one("a", 0.7), one("b", 0.9)], TASK, [f1()]).pairs
    (found,) = pair.differences
    assert found.metric == "f1_macro"
    assert found.reference == pytest.approx(0.7, abs=0.06)
    assert found.verdict == "better"
    assert [test.name for test in found.tests] == ["paired bootstrap"]


def test_lower_is_better_where_the_metric_says_so() -> None:
    from ftcore.default_plugins.classification_metrics import brier

    (pair,) = compare([one("a", 0.7), one("b", 0.9)], TASK, [brier()]).pairs
    found = pair.differences[0]
    assert (found.difference or 0) < 0
    assert found.verdict == "better"


def several(name: str, skills: list[float], folds: list[int | None]) -> Candidate:
    return Candidate(
        name,
        tuple(
            scored(skill, seed=seed, fold=fold)
            for fold in folds
            for seed, skill in enumerate(skills)
        ),
    )


def test_of_seeds_the_means_are_compared() -> None:
    first, second = several("a", [0.7, 0.72], [None]), several("b", [0.9, 0.91, 0.92], [None])
    (pair,) = compare([first, second], TASK, [accuracy()]).pairs
    assert pair.differences[0].verdict == "better"
    assert "degrees of freedom" in pair.differences[0].method
    assert compare([first, second], TASK, [accuracy()]).notes == ()


def test_one_seed_beside_several_says_so() -> None:
    record = compare([one("a", 0.7), several("b", [0.9, 0.91], [None])], TASK, [accuracy()])
    assert "one seed of a" in record.notes[0]
    assert record.pairs[0].differences[0].verdict == "better"


def test_over_folds_it_is_the_corrected_t() -> None:
    folds: list[int | None] = [0, 1, 2, 3, 4]
    record = compare([several("a", [0.7], folds), several("b", [0.9], folds)], TASK, [accuracy()])
    assert record.folds == 5
    assert record.examples == 2000
    (found,) = record.pairs[0].differences
    assert found.tests[0].name == "corrected t over folds"
    assert found.verdict == "better"


def test_the_order_of_examples_does_not_matter() -> None:
    other = scored(0.9)
    order = torch.randperm(400, generator=torch.Generator().manual_seed(0))
    mixed = replace(
        other,
        predictions=Predictions(
            [other.predictions.ids[index] for index in order],
            {name: row[order] for name, row in other.predictions.rows.items()},
            1,
        ),
    )
    straight = compare([one("a", 0.7), Candidate("b", (other,))], TASK, [accuracy(), f1()])
    assert compare([one("a", 0.7), Candidate("b", (mixed,))], TASK, [accuracy(), f1()]) == straight


def changed(**updates: Any) -> Candidate:
    run = scored(0.8)
    return Candidate("b", (replace(run, record=run.record.model_copy(update=updates)),))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (one("b", 0.8, count=300), "other examples, 400 and 300, of which 300 are the same"),
        (one("b", 0.8, noise=1), "the example 'None/.*' has another label"),
        (several("b", [0.8], [0, 1]), "other folds, no folds and folds 1, 2"),
        (changed(task="ordinal"), "other tasks, classification and ordinal"),
        (changed(classes=("a", "c")), "other classes, a, b and a, c"),
    ],
)
def test_what_is_not_comparable_is_refused(other: Candidate, words: str) -> None:
    with pytest.raises(DataError, match=words):
        compare([one("a", 0.7), other], TASK, [accuracy()])


def test_rows_of_another_version_are_refused() -> None:
    run = scored(0.8)
    old = replace(run, predictions=replace(run.predictions, version=2))
    with pytest.raises(DataError, match="other versions of the task's rows, 1 and 2"):
        compare([one("a", 0.7), Candidate("b", (old,))], TASK, [accuracy()])


def test_a_single_candidate_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two candidates"):
        compare([one("a", 0.7)], TASK, [accuracy()])
