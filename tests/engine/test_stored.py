"""Stored outputs: which files fit each other, and what scoring them in blocks comes to."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ftcore import DataBundle, Metric, StoppedError, UsageError, ops
from ftcore.default_plugins import classification_metrics
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine import stored
from ftcore.engine.observer import Observer
from ftcore.engine.stored import StoredOutputs, StoredSplit, score
from ftcore.errors import DataError, NumericalError
from ftcore.registry import Registry
from tests.default_plugins.classification.data import batch

REGISTRY: Registry[Metric] = Registry("metric")
classification_metrics.register_metrics(REGISTRY.registrar("classification-metrics"))
ACCURACY = [REGISTRY.create("accuracy")]


class Counting(Observer):
    """Counts the rows, and asks to stop after so many."""

    def __init__(self, most: int = 10**9) -> None:
        self.rows, self.most = 0, most

    def advanced(self, count: int) -> None:
        self.rows += count

    def should_stop(self) -> bool:
        return self.rows >= self.most


def write(folder: Path, logits: np.ndarray, targets: np.ndarray) -> tuple[Path, Path]:
    np.save(folder / "logits.npy", logits)
    np.save(folder / "targets.npy", targets)
    return folder / "logits.npy", folder / "targets.npy"


def made(rows: int = 50, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    logits, targets = batch(rows, classes)
    return logits.numpy(), targets.numpy()


def bundle(outputs: StoredOutputs) -> DataBundle:
    names = tuple(map(str, range(outputs.logits.shape[1])))
    return DataBundle("x", "classification", {"test": StoredSplit(outputs)}, names)


@pytest.mark.parametrize("rows", [1, 7, 50, 1000])
def test_blocks_of_any_size_give_the_statistics_of_the_whole(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "BLOCK", 4 * rows)
    logits, targets = made()
    targets[[0, 9, 10, 11, 12, 13, 14, 49]] = -100
    outputs = StoredOutputs.open(*write(tmp_path, logits, targets), -100)
    observer = Counting()
    statistics = score(outputs, ClassificationTask(), bundle(outputs), ACCURACY, observer)
    kept = targets != -100
    expected = ops.classification_statistics(
        torch.from_numpy(logits[kept]), torch.from_numpy(targets[kept])
    )
    assert (observer.rows, outputs.ignored, int(statistics.n)) == (50, 8, 42)
    for name, field in expected.fields.items():
        torch.testing.assert_close(statistics.fields[name], field, rtol=1e-12, atol=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused_by_number(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "BLOCK", 4 * 10)
    logits, targets = made()
    logits[[25, 27, 45], 1], targets[[20, 21]] = value, -1
    outputs = StoredOutputs.open(*write(tmp_path, logits, targets), -1)
    with pytest.raises(
        NumericalError, match=r"logits.npy are not finite in 2 of .*, the first is row 25;"
    ):
        score(outputs, ClassificationTask(), bundle(outputs), ACCURACY, Observer())


def test_a_row_that_is_left_out_may_hold_anything(tmp_path: Path) -> None:
    logits, targets = made()
    logits[3], targets[3] = np.nan, -1
    outputs = StoredOutputs.open(*write(tmp_path, logits, targets), -1)
    statistics = score(outputs, ClassificationTask(), bundle(outputs), ACCURACY, Observer())
    assert int(statistics.n) == 49


def test_it_stops_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "BLOCK", 4 * 10)
    outputs = StoredOutputs.open(*write(tmp_path, *made()))
    observer = Counting(most=20)
    with pytest.raises(StoppedError):
        score(outputs, ClassificationTask(), bundle(outputs), ACCURACY, observer)
    assert observer.rows == 20


def test_scores_that_would_not_fit_into_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "free_memory", lambda: 50 * 80)
    outputs = StoredOutputs.open(*write(tmp_path, *made()))
    score(outputs, ClassificationTask(), bundle(outputs), ACCURACY, Observer())
    auroc = [REGISTRY.create("auroc")]
    with pytest.raises(DataError, match="keep 88 bytes of each row"):
        score(outputs, ClassificationTask(), bundle(outputs), auroc, Observer())


LOGITS, TARGETS = made()
CASES: list[tuple[np.ndarray, np.ndarray, str]] = [
    (LOGITS[0], TARGETS, "of shape (4,); they must be"),
    (LOGITS[:, None], TARGETS, "of shape (50, 1, 4); they must be"),
    (LOGITS[:0], TARGETS[:0], "of shape (0, 4); they must be"),
    (LOGITS[:, :1], TARGETS, "have 1 columns"),
    (LOGITS.astype(int), TARGETS, "are torch.int64 of shape (50, 4)"),
    (LOGITS, TARGETS[:-1], "int64 of shape (49,); logits of shape (50, 4) need one integer"),
    (LOGITS, TARGETS[:, None], "of shape (50, 1)"),
    (LOGITS, TARGETS.astype(float), "targets.npy are torch.float64"),
    (LOGITS, np.where(np.arange(50) == 7, 4, TARGETS), "target 4 in row 7 of"),
    (LOGITS, np.where(np.arange(50) > 6, -100, TARGETS), "(43 such rows in all)"),
    (LOGITS, np.full(50, -1), "every target in"),
]


@pytest.mark.parametrize(("logits", "targets", "words"), CASES, ids=[case[2] for case in CASES])
def test_what_does_not_fit_is_refused(
    logits: np.ndarray, targets: np.ndarray, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        StoredOutputs.open(*write(tmp_path, logits, targets), -1)


def test_logits_alone_need_targets(tmp_path: Path) -> None:
    path, _ = write(tmp_path, LOGITS, TARGETS)
    with pytest.raises(UsageError, match="give the file of their --targets"):
        StoredOutputs.open(path)


def test_a_part_is_the_rows_that_count_and_has_no_inputs(tmp_path: Path) -> None:
    targets = np.array([-1, 2, -1, 0])
    split = StoredSplit(StoredOutputs.open(*write(tmp_path, LOGITS[:4], targets), -1))
    assert (len(split), split.ids) == (2, ["row 1", "row 3"])
    assert split.targets.tolist() == [2, 0]
    with pytest.raises(DataError, match="have no inputs"):
        split.inputs([0])
