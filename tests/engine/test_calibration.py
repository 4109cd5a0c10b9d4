from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ftcore.config import RunConfig
from ftcore.default_plugins import classification_metrics
from ftcore.engine import run as engine
from ftcore.engine.batches import CachedSource
from ftcore.engine.calibration import Calibrator, fit_calibrator
from ftcore.engine.device import Machine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.features.segment import Rows
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.errors import StoppedError
from ftcore.interfaces import Metric
from ftcore.record import CalibrationRecord, Record
from ftcore.registry import Registry
from tests.default_plugins.classification.data import batch
from tests.engine.test_run import StopAfter, content, make_parts


def with_calibration(parts: RunParts) -> RunParts:
    metrics: Registry[Metric] = Registry("metric")
    classification_metrics.register_metrics(metrics.registrar("ftcore"))
    chosen = [metrics.create(name) for name in ("ece", "nll", "brier")]
    return dataclasses.replace(parts, calibration=chosen)


def run(folder: Path, observer: Observer, **options: Any) -> tuple[Record, Path]:
    parts = with_calibration(make_parts(out=folder, metric=["accuracy"], **options))
    prepared = prepare(parts, Observer())
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer), directory.path


def calibration_of(record: Record) -> CalibrationRecord:
    assert record.calibration is not None
    return record.calibration


def score(scale: float) -> tuple[CalibrationRecord, Calibrator]:
    """Calibrate logits that are `scale` times those of a model that knows what it does not."""
    parts = with_calibration(make_parts())
    machine = Machine.of(RunConfig.parse({"device": "cpu"}))
    evaluator = Evaluator(parts.task, parts.bundle, parts.metrics, machine)
    logits, targets = batch(400, 3, spread=1.0)
    source = CachedSource(
        Rows([(scale * logits).float()]),
        torch.arange(400)[None],
        targets,
        [str(i) for i in range(400)],
    )
    fitted = fit_calibrator(parts, evaluator, nn.Identity(), source, Observer())
    assert fitted is not None
    evaluator.statistics(nn.Identity(), source, Observer(), watch=fitted.add)
    return fitted.describe(), fitted


def test_overconfidence_is_undone() -> None:
    record, fitted = score(6.0)
    plain, _ = score(1.0)
    assert record.temperature == pytest.approx(6 * plain.temperature, rel=1e-3)
    assert record.n == 400
    assert not record.is_bounded
    for name in ("ece", "nll", "brier"):
        before, after, change = (
            each[name] for each in (record.before, record.after, record.change)
        )
        assert before.value is not None
        assert after.value is not None
        assert after.value < before.value
        assert change.value == pytest.approx(after.value - before.value)
        assert change.high is not None
        assert change.high < 0
        assert change.n == 400
    shared = (fitted.before.rows, fitted.after.rows)
    assert torch.equal(*(rows["prediction"] for rows in shared))


def test_the_interval_of_the_change_is_that_of_the_rows_differences() -> None:
    record, fitted = score(3.0)
    differences = (fitted.after.rows["nll"] - fitted.before.rows["nll"]).numpy()
    reach = 1.96 * differences.std() / np.sqrt(len(differences))
    change = record.change["nll"]
    assert change.low == pytest.approx(differences.mean() - reach, abs=0.15 * reach)
    assert change.high == pytest.approx(differences.mean() + reach, abs=0.15 * reach)


@pytest.mark.parametrize("freeze", ["bottom", "none"])
def test_a_run_is_the_same_with_and_without(tmp_path: Path, freeze: str) -> None:
    record, path = run(tmp_path / "with", Observer(), freeze=freeze)
    plain = prepare(make_parts(out=tmp_path, metric=["accuracy"], freeze=freeze), Observer())
    directory = RunDirectory.create(plain.parts.config)
    without = engine.run(plain, directory, Observer())
    assert content(path) == content(directory.path)
    assert record.metrics == without.metrics
    assert without.calibration is None
    assert calibration_of(record).n == 15
    assert Record.model_validate_json((path / "record.json").read_bytes()) == record


def test_a_resumed_run_finds_the_same_temperature(tmp_path: Path) -> None:
    whole, _ = run(tmp_path, Observer(), freeze="none")
    with pytest.raises(StoppedError):
        run(tmp_path / "stopped", StopAfter(7), freeze="none")
    (path,) = (tmp_path / "stopped").iterdir()
    directory = RunDirectory.open(path)
    parts = with_calibration(make_parts(**directory.config().model_dump()))
    resumed = engine.run(prepare(parts, Observer()), directory, Observer())
    assert calibration_of(resumed) == calibration_of(whole)


def test_a_task_that_cannot_be_scaled_has_none() -> None:
    parts = make_parts()
    assert Calibrator.at(parts, 2.0, 10) is None
