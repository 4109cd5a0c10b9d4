from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ftcore
from ftcore.cli import main
from ftcore.engine.storage import write_manifest
from tests.cli.finished import Finished

NET = ["--backbone", "squeezenet1_1", "--weights", "none", "--image-size", "32"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Options come from a file, the environment and flags, each before the one it names."""
    folder = tmp_path_factory.mktemp("run")
    file = folder / "options.yaml"
    file.write_text("epochs: 2\nseed: 5\nbatch_size: 64\nmetric: [accuracy, auroc]\n")
    given = ["run", *NET, "--config", str(file), "--batch-size", "256", "--out", str(folder)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FTCORE_RUN_SEED", "6")
        monkeypatch.setenv("FTCORE_RUN_BATCH_SIZE", "128")
        assert main([*given, "-q"]) == 0
    (run,) = (path for path in folder.iterdir() if path.is_dir())
    return Finished(run, json.loads((run / "record.json").read_text()))


def test_options_go_defaults_file_environment_flags(finished: Finished) -> None:
    config = finished.record["config"]
    names = ("optimizer", "epochs", "seed", "batch_size")
    assert [config[name] for name in names] == ["adamw", 2, 6, 256]
    assert list(finished.record["metrics"]) == ["accuracy", "auroc"]


def test_the_saved_configuration_runs_again_to_the_same_numbers(
    finished: Finished, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "--config", str(finished.folder / "config.yaml"), "--out", str(tmp_path)]
    assert main([*arguments, "-q", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["metrics"] == finished.record["metrics"]
    assert record["history"] == finished.record["history"]


def test_a_finished_run_is_shown_again_not_run_again(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (finished.folder / "MANIFEST.sha256").read_bytes()
    assert main(["run", "--resume", str(finished.folder), "--json"]) == 0
    printed = capfd.readouterr()
    assert json.loads(printed.out) == finished.record
    assert "is complete" in printed.err
    assert (finished.folder / "MANIFEST.sha256").read_bytes() == before


def test_evaluating_a_run_gives_its_own_numbers_but_for_rounding(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run scores features of a folded copy of the stages, an evaluation the stages themselves."""
    assert main(["evaluate", str(finished.folder), "--json", "-q"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["kind"] == "evaluation"
    for name, metric in finished.record["metrics"].items():
        for key, value in metric.items():
            assert record["metrics"][name][key] == (
                pytest.approx(value, abs=1e-4) if isinstance(value, float) else value
            )


@pytest.mark.parametrize(
    ("gate", "code"), [("accuracy>=0", 0), ("accuracy.high>0.999", 5), ("auroc<0.001", 5)]
)
def test_a_gate_decides_the_exit_code(
    finished: Finished, gate: str, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(finished.folder), "-q", "--require", gate]) == code
    assert (f"requirement not met: {gate}" in capfd.readouterr().err) == (code == 5)


def test_a_run_is_evaluated_on_damaged_inputs(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ["--corruptions", "contrast,fog", "--severity", "5", "--severity", "1"]
    assert main(["evaluate", str(finished.folder), *asked, "--json", "-q"]) == 0
    record = json.loads(capfd.readouterr().out)
    found = record["corruptions"]
    assert [each["name"] for each in found["corruptions"]] == ["contrast", "fog"]
    for each in found["corruptions"]:
        assert [cell["severity"] for cell in each["severities"]] == [1, 5]
        assert list(each["severities"][0]["metrics"]) == ["accuracy", "auroc"]
    values = [
        cell["metrics"]["accuracy"]["value"]
        for each in found["corruptions"]
        for cell in each["severities"]
    ]
    assert found["mean_corruption_error"]["value"] == pytest.approx(1 - np.mean(values))
    assert record["calibration"]["temperature"] == finished.record["calibration"]["temperature"]
    assert record["calibration"]["n"] == record["counts"]["splits"]["val"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--corruptions", "fogg"], "did you mean 'fog'?"),
        (["--severity", "3"], "--severity 3 goes with --corruptions"),
        (["--corruptions", "all", "--severity", "6"], "6 is not in the range 1<=x<=5"),
    ],
)
def test_damage_that_does_not_exist_is_refused(
    finished: Finished, options: list[str], words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(finished.folder), *options]) == 2
    assert words in capfd.readouterr().err


def test_predictions_are_named_and_written(
    finished: Finished, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for index in range(2):
        pixels = np.full((9, 7), 40 * index, dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"new {index}.png")
    out = tmp_path / "predictions.csv"
    assert main(["predict", str(finished.folder), str(tmp_path), "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [Path(row["id"]).name for row in rows] == ["new 0.png", "new 1.png"]
    assert all(row["prediction"] in set("0123456789") for row in rows)
    assert all(0 < float(row["confidence"]) <= 1 for row in rows)
    capfd.readouterr()
    assert main(["predict", str(finished.folder), str(tmp_path / "new 1.png"), "--json"]) == 0
    (only,) = json.loads(capfd.readouterr().out)
    assert only["prediction"] == rows[1]["prediction"]


def test_calibrated_confidences_are_those_at_the_temperature(
    finished: Finished, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "line.png")
    asked = ["predict", str(finished.folder), str(tmp_path / "line.png"), "--json"]
    found = []
    for options in ([], ["--calibrated"]):
        assert main([*asked, *options]) == 0
        found.append(json.loads(capfd.readouterr().out)[0])
    assert found[0]["prediction"] == found[1]["prediction"]
    temperature = finished.record["calibration"]["temperature"]
    assert (found[1]["confidence"] < found[0]["confidence"]) == (temperature > 1)


def test_a_run_without_a_temperature_calibrates_nothing(
    finished: Finished, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older"
    shutil.copytree(finished.folder, older)
    record = {**finished.record, "calibration": None}
    (older / "record.json").write_text(json.dumps(record))
    write_manifest(older)
    assert main(["predict", str(older), str(older), "--calibrated"]) == 2
    assert "has no temperature" in capfd.readouterr().err


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *NET, "--freeze", "bottom:2", "--lr", "0.5", "--dry-run", "--json"]) == 0
    plan = json.loads(capfd.readouterr().out)
    rows = {row["name"]: (row["trained"] > 0, row["cached"]) for row in plan["stages"]}
    assert rows == {
        "block1": (False, True),
        "block2": (False, True),
        "block3": (True, False),
        "block4": (True, False),
        "pool": (False, False),
        "head": (True, False),
    }
    assert plan["learning_rate"] == 0.5
    assert main(["run", *NET, "--freeze", "gradual", "--dry-run"]) == 0
    assert "from epoch" in capfd.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_run_with_adapters_is_evaluated_as_any_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ["--freeze", "lora:r=4,top=1", "--epochs", "1", "--cache", "off"]
    assert main(["run", *NET, *options, "--out", str(tmp_path), "-q", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    trained = {row["name"]: row["trained"] for row in record["freeze"]["stages"] if row["trained"]}
    assert list(trained) == ["block4", "head"]
    assert record["freeze"]["sha256_before"] == record["freeze"]["sha256_after"]
    folder = Path(record["directory"])
    size = (folder / "adapters.safetensors").stat().st_size
    assert size < 4 * trained["block4"] + 4096
    assert main(["evaluate", str(folder), "--json", "-q"]) == 0
    assert json.loads(capfd.readouterr().out)["metrics"] == record["metrics"]


def test_data_check_counts_and_python_returns_the_same_record(
    finished: Finished, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", "--dataset", "digits", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["splits"] == finished.record["counts"]["splits"]
    record = ftcore.run(
        backbone="squeezenet1_1",
        weights="none",
        image_size=32,
        epochs=2,
        seed=6,
        batch_size=256,
        metric=("accuracy", "auroc"),
        out=tmp_path,
    )
    ours = record.metrics["accuracy"]
    assert ours.model_dump(mode="json") == finished.record["metrics"]["accuracy"]
    assert (ours.n, record.seed) == (359, 6)
