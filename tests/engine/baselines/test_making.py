"""Baselines of whole runs, on the tiny backbone and dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.errors import StoppedError
from ftcore.record import Record
from tests.engine.baselines.test_choice import pretrained
from tests.engine.test_run import StopAfter, content
from tests.tiny import make_backbone

MADE = ("metrics", "baselines", "gains", "baseline_notes")


def run(parts: RunParts, observer: Observer | None = None) -> tuple[Record, Path]:
    observer = observer or Observer()
    prepared = prepare(parts, observer)
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer), directory.path


def resume(path: Path) -> Record:
    directory = RunDirectory.open(path)
    parts = pretrained(**directory.config().model_dump())
    return engine.run(prepare(parts, Observer()), directory, Observer())


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"freeze": "none"}, ["knn", "probe"]),
        ({"freeze": "bottom"}, ["knn"]),
        ({"freeze": "bottom:2"}, ["knn", "probe"]),
        ({"freeze": "lp-ft"}, ["knn", "probe"]),
        ({"freeze": "lora:r=1", "augment": "noise"}, ["knn", "probe"]),
        ({"freeze": "bottom", "augment": "noise", "views": 2, "cache": "disk"}, ["knn"]),
        ({"freeze": "norm", "cache": "off", "accumulate": 2}, ["knn", "probe"]),
    ],
    ids=str,
)
def test_a_run_is_held_against_its_baselines(
    tmp_path: Path, options: dict[str, Any], names: list[str]
) -> None:
    record, path = run(pretrained(out=tmp_path / "auto", **options))
    assert record.baselines.keys() == record.gains.keys() == {"majority class", *names}
    assert record.baseline_notes.keys() == {"knn", "probe", "scratch"}
    for name, gains in record.gains.items():
        assert gains.keys() == record.metrics.keys()
        for metric, gain in gains.items():
            assert gain.value == record.metrics[metric].value
            assert gain.reference == record.baselines[name][metric].value
    none, other = run(pretrained(out=tmp_path / "none", baselines="none", **options))
    assert (none.baselines, none.gains, none.baseline_notes) == ({}, {}, {})
    assert content(path) == content(other)


def test_baselines_are_of_the_pretrained_features_however_the_run_freezes(tmp_path: Path) -> None:
    parts = pretrained()
    stages = nn.Sequential(*(stage.module for stage in parts.backbone.stages)).eval()
    splits = parts.bundle.splits
    with torch.no_grad():
        train, test = (
            stages(torch.stack(list(splits[part].inputs(range(len(splits[part]))))))
            for part in ("train", "test")
        )
    oracle = KNeighborsClassifier(
        20, metric="cosine", algorithm="brute", weights=lambda far: np.exp(-far / 0.07)
    )
    oracle.fit(train.numpy(), splits["train"].targets.numpy())
    expected = oracle.score(test.numpy(), splits["test"].targets.numpy())
    probes = []
    for freeze in ("none", "bottom", "bottom:2", "lora:r=1", "lp-ft"):
        record, _ = run(pretrained(out=tmp_path, freeze=freeze))
        assert record.baselines["knn"]["accuracy"].value == pytest.approx(expected)
        probes += [record.baselines["probe"]["nll"].value] if "probe" in record.baselines else []
    assert probes == pytest.approx([probes[0]] * 4, rel=1e-4)


def test_the_probe_is_a_run_of_the_head_alone(tmp_path: Path) -> None:
    record, _ = run(pretrained(out=tmp_path, freeze="none", baselines="probe"))
    words = record.baseline_notes["probe"]
    rate = float(words.partition("learning rate ")[2].partition(",")[0])
    alone, _ = run(pretrained(out=tmp_path, freeze="bottom", epochs=10, lr=rate))
    assert record.baselines["probe"]["accuracy"] == alone.metrics["accuracy"]
    loss = alone.metrics["nll"].value
    assert record.baselines["probe"]["nll"].value == pytest.approx(loss, rel=1e-3)


def test_scratch_is_a_run_of_random_weights(tmp_path: Path) -> None:
    options = {"freeze": "bottom", "baselines": "scratch", "out": tmp_path}
    record, _ = run(pretrained(**options))
    random = pretrained(freeze="none", baselines="none", lr=0.001, out=tmp_path)
    alone, _ = run(replace(random, backbone=make_backbone(seed=5)))
    assert record.baselines == {"scratch": alone.metrics}
    assert "random weights" in record.baseline_notes["scratch"]


@pytest.mark.parametrize("freeze", ["none", "bottom"])
def test_a_run_stopped_anywhere_has_the_same_baselines(tmp_path: Path, freeze: str) -> None:
    options = {"freeze": freeze, "baselines": "knn,probe,scratch", "epochs": 2}
    whole, at = run(pretrained(out=tmp_path, **options))
    stops = 0
    for questions in (2, 11, 24):
        try:
            record, path = run(pretrained(out=tmp_path, **options), StopAfter(questions))
        except StoppedError as stopped:
            stops += 1
            path = Path(str(stopped).rpartition(" ")[2])
            record = resume(path)
        assert content(path) == content(at)
        for name in MADE:
            assert getattr(record, name) == getattr(whole, name), name
        assert not (path / "checkpoint").exists()
    assert stops == 3


def test_features_that_are_not_finite_cost_the_baselines_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = pretrained(freeze="none", out=tmp_path)
    stages = "ftcore.engine.features.stages.FrozenStages.fast"

    def broken(*_: object) -> Any:
        return type(
            "Fast",
            (),
            {
                "__call__": lambda self, inputs: torch.full((len(inputs), 8), float("nan")),
                "note": "",
                "batch_size": 16,
                "how": "plain",
                "difference": 0.0,
            },
        )()

    monkeypatch.setattr(stages, broken)
    record, _ = run(parts)
    assert [*record.baselines] == ["majority class"]
    assert "not finite" in record.baseline_notes["knn"]
    assert "not finite" in record.baseline_notes["probe"]
