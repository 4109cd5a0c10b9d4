from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from ftcore.config import RunConfig
from ftcore.default_plugins import classification, classification_metrics, freezing
from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.engine.storage import verify_manifest
from ftcore.errors import ConfigError, DataError, FtcoreError, NumericalError, StoppedError
from ftcore.interfaces import DataBundle, FreezingStrategy, Metric, Task
from ftcore.record import Record
from ftcore.registry import Registry
from tests.tiny import ToFloat, make_backbone, make_bundle

BYTES = ("model.safetensors", "predictions.safetensors", "metrics.jsonl")


def make_parts(bundle: DataBundle | None = None, **options: Any) -> RunParts:
    strategies: Registry[FreezingStrategy] = Registry("freezing strategy")
    metrics: Registry[Metric] = Registry("metric")
    tasks: Registry[Task] = Registry("task")
    freezing.register_freezing(strategies.registrar("ftcore"))
    classification_metrics.register_metrics(metrics.registrar("ftcore"))
    classification.register_tasks(tasks.registrar("ftcore"))
    quick = {"epochs": 3, "batch_size": 8, "lr": 0.01, "baselines": "majority"}
    config = RunConfig.parse({**quick, **options})
    bundle = bundle or make_bundle()
    return RunParts(
        make_backbone(),
        bundle,
        tasks.create(config.task or "classification"),
        [metrics.create(spec) for spec in config.metric or ("accuracy", "nll")],
        config,
        strategies.create(config.freeze),
        bundle,
    )


def run(folder: Path, observer: Observer | None = None, **options: Any) -> tuple[Record, Path]:
    parts = make_parts(out=folder, **options)
    observer = observer or Observer()
    prepared = prepare(parts, observer)
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer), directory.path


def resume(path: Path, observer: Observer) -> Record:
    directory = RunDirectory.open(path)
    config = directory.config().model_dump()
    return engine.run(prepare(make_parts(**config), observer), directory, observer)


def content(path: Path) -> dict[str, str]:
    names = [*BYTES, *(file.name for file in path.glob("adapters.safetensors"))]
    return {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in names}


class StopAfter(Observer):
    """Asks to stop at the n-th question."""

    def __init__(self, questions: int) -> None:
        self.questions = questions

    def should_stop(self) -> bool:
        self.questions -= 1
        return self.questions == 0


@pytest.mark.parametrize(
    "freeze", ["none", "bottom", "bottom:1", "norm", "gradual", "lp-ft", "discriminative", "lora:1"]
)
@pytest.mark.parametrize("cache", ["auto", "off"])
def test_a_run_learns_and_leaves_the_frozen_part_alone(
    tmp_path: Path, freeze: str, cache: str
) -> None:
    record, path = run(tmp_path, freeze=freeze, cache=cache, lr=0.05)
    assert record.freeze is not None
    assert record.freeze.changed_bytes == 0
    assert record.freeze.sha256_before == record.freeze.sha256_after
    assert record.freeze.frozen + record.freeze.trained == record.freeze.parameters
    accuracy = record.metrics["accuracy"]
    assert accuracy.value is not None
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low <= accuracy.value <= accuracy.high
    assert accuracy.n == 30
    assert record.baselines["majority class"]["accuracy"].value == pytest.approx(1 / 3)
    assert record.history[-1].train_loss < record.history[0].train_loss
    verify_manifest(path)
    assert Record.model_validate_json((path / "record.json").read_bytes()) == record


@pytest.mark.parametrize(
    "options",
    [
        {"freeze": "none"},
        {"freeze": "bottom"},
        {"freeze": "gradual", "augment": "noise", "optimizer": "sgd"},
        {"freeze": "lp-ft", "accumulate": 4, "patience": 1},
        {"freeze": "lora:r=2,top=2", "optimizer": "sgd", "lr": 0.1},
        {"freeze": "lora:r=1", "augment": "noise", "accumulate": 2},
    ],
    ids=str,
)
def test_a_run_stopped_anywhere_ends_with_the_same_bytes(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    _, whole = run(tmp_path, **options)
    stops = 0
    for questions in (1, 2, 5, 7, 9, 12, 18, 23):
        try:
            _, path = run(tmp_path, StopAfter(questions), **options)
        except StoppedError as stopped:
            stops += 1
            path = Path(str(stopped).rpartition(" ")[2])
            assert not (path / "record.json").exists()
            resume(path, Observer())
        assert content(path) == content(whole)
    assert stops >= 4


def test_saving_within_an_epoch_changes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = run(tmp_path, freeze="none")
    monkeypatch.setattr("ftcore.engine.training.SAVE_SECONDS", -1)
    _, path = run(tmp_path, freeze="none")
    assert content(path) == content(whole)


def test_a_run_stopped_again_and_again_ends_with_the_same_bytes(tmp_path: Path) -> None:
    _, whole = run(tmp_path, freeze="none", augment="noise")
    with pytest.raises(StoppedError) as stopped:
        run(tmp_path, StopAfter(2), freeze="none", augment="noise")
    path = Path(str(stopped.value).rpartition(" ")[2])
    for _ in range(40):
        try:
            resume(path, StopAfter(2))
            break
        except StoppedError:
            continue
    assert content(path) == content(whole)


def test_resuming_with_other_frozen_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        run(tmp_path, StopAfter(8), freeze="bottom")
    directory = RunDirectory.open(Path(str(stopped.value).rpartition(" ")[2]))
    parts = replace(make_parts(**directory.config().model_dump()), backbone=make_backbone(seed=9))
    with pytest.raises(DataError, match="frozen weights differ"):
        engine.run(prepare(parts, Observer()), directory, Observer())


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    record, path = run(tmp_path, freeze="none", epochs=8, lr=0.5, schedule="constant")
    accuracies = [row.val["accuracy"] for row in record.history]
    assert record.best_epoch is not None
    assert accuracies[record.best_epoch] == max(accuracies)  # type: ignore[type-var]
    assert record.best_epoch < 7, "the last epoch is the best one, so this shows nothing"
    stopped_there, other = run(tmp_path, freeze="none", epochs=8, lr=0.5, schedule="constant",
                               patience=7 - record.best_epoch)  # fmt: skip
    assert len(stopped_there.history) <= 8
    assert content(path)["model.safetensors"] == content(other)["model.safetensors"]


def test_patience_ends_training_early(tmp_path: Path) -> None:
    record, _ = run(tmp_path, lr=1e-12, epochs=20, patience=2, schedule="constant")
    assert len(record.history) < 20


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lr": 1e30, "freeze": "none", "optimizer": "sgd"}, NumericalError, "epoch 1, batch 2"),
        ({"augment": "sparkle"}, FtcoreError, "sparkle"),
        ({"freeze": "none", "cache": "memory"}, ConfigError, "no stage is frozen"),
        ({"augment": "noise", "cache": "memory"}, ConfigError, "augmentation is random"),
        ({"device": "warp:3"}, ConfigError, "warp:3"),
        ({"schedule": "cosin"}, FtcoreError, "cosine"),
    ],
    ids=str,
)
def test_failures_name_their_cause(
    tmp_path: Path, options: dict[str, Any], error: type[FtcoreError], words: str
) -> None:
    with pytest.raises(error, match=words):
        run(tmp_path, **options)


def test_inputs_that_are_not_finite_are_named(tmp_path: Path) -> None:
    bundle = make_bundle()
    bundle.splits["val"].values[4, 0, 1, 1] = float("nan")  # type: ignore[attr-defined]
    parts = make_parts(bundle, out=tmp_path)
    prepared = prepare(parts, Observer())
    directory = RunDirectory.create(prepared.parts.config)
    with pytest.raises(DataError, match=r"1 of 90.*'val/4'"):
        engine.run(prepared, directory, Observer())
    assert not list(tmp_path.iterdir())


def test_a_backbone_that_moves_its_own_state_fails_the_run(tmp_path: Path) -> None:
    class Restless(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            self.get_buffer("calls").add_(1)
            return inputs

    parts = make_parts(out=tmp_path, cache="off")
    parts.backbone.stages[0].module.append(Restless())  # type: ignore[operator]
    prepared = prepare(parts, Observer())
    directory = RunDirectory.create(prepared.parts.config)
    with pytest.raises(FtcoreError, match=r"frozen tensors moved.*stem\.4\.calls"):
        engine.run(prepared, directory, Observer())
    assert not (directory.path / "record.json").exists()


def test_same_configuration_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    paths = [run(tmp_path, freeze="none", seed=seed)[1] for seed in (1, 1, 2)]
    assert content(paths[0]) == content(paths[1])
    assert content(paths[0]) != content(paths[2])


def test_loading_in_processes_changes_no_byte(tmp_path: Path) -> None:
    paths = [run(tmp_path, freeze="none", augment="noise", workers=w)[1] for w in (0, 2)]
    assert content(paths[0]) == content(paths[1])


def test_bf16_trains(tmp_path: Path) -> None:
    record, _ = run(tmp_path, freeze="bottom:1", precision="bf16")
    assert record.metrics["nll"].value is not None


def test_augmentation_reaches_training_only(tmp_path: Path) -> None:
    parts = make_parts(out=tmp_path, augment="noise")
    prepared = prepare(parts, Observer())
    assert prepared.feeder.keep == "off"
    assert "random" in prepared.feeder.reason
    assert isinstance(parts.backbone.preprocess, ToFloat)
    assert not parts.backbone.preprocess.is_random


def test_two_processes_cannot_work_in_one_run(tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        run(tmp_path, StopAfter(2))
    directory = RunDirectory.open(Path(str(stopped.value).rpartition(" ")[2]))
    with directory.locked(), pytest.raises(DataError, match="another process is working in"):
        resume(directory.path, Observer())
    resume(directory.path, Observer())


def test_each_step_has_its_own_time_and_none_is_counted_twice(tmp_path: Path) -> None:
    started = time.perf_counter()
    record, _ = run(tmp_path)
    steps = ["preparation", "frozen features", "leaks", "training", "validation", "test"]
    steps += ["repeats", "intervals"]
    assert list(record.timings) == steps
    assert all(seconds > 0 for seconds in record.timings.values())
    assert sum(record.timings.values()) < time.perf_counter() - started


def test_the_saved_configuration_leaves_nothing_to_choose(tmp_path: Path) -> None:
    parts = replace(make_parts(), config=RunConfig.parse({"out": tmp_path}))
    prepared = prepare(parts, Observer())
    assert (parts.config.lr, parts.config.cache) == (None, "auto")
    assert prepared.parts.config.lr == 0.01
    assert prepared.parts.config.cache in ("memory", "disk")


def test_what_a_phase_freezes_must_not_move_in_it(tmp_path: Path) -> None:
    parts = make_parts(out=tmp_path, freeze="lp-ft", cache="off")

    def disturb(module: nn.Module, inputs: object, output: object) -> None:
        module.get_parameter("0.weight").data.add_(1e-3)

    prepared = prepare(parts, Observer())
    prepared.model.get_submodule("top").register_forward_hook(disturb)
    with pytest.raises(FtcoreError, match=r"frozen tensors moved.*top\.0\.weight"):
        engine.run(prepared, RunDirectory.create(parts.config), Observer())
