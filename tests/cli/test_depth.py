from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ftcore
from ftcore.cli import main
from ftcore.studies.config import StudyConfig
from tests.cli.finished import Finished

NET = ["--backbone", "squeezenet1_1", "--weights", "none", "--image-size", "32"]
FAST = [*NET, "--limit", "120", "--epochs", "1", "--batch-size", "64", "-q"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("depth")
    assert main(["depth", *FAST, "--depths", "2,all", "--seeds", "2", "--out", str(folder)]) == 0
    (made,) = folder.iterdir()
    return Finished(made, json.loads((made / "depth.json").read_text()))


def test_a_sweep_leaves_a_run_for_each_depth_and_seed(finished: Finished) -> None:
    runs = sorted(path.name for path in (finished.folder / "runs").iterdir())
    assert runs == [
        "001-bottom-2-seed0",
        "002-bottom-2-seed1",
        "003-bottom-seed0",
        "004-bottom-seed1",
    ]
    study = json.loads((finished.folder / "record.json").read_text())
    assert finished.record["study"] == study
    shallow, deep = finished.record["curve"]
    assert (shallow["frozen"], shallow["stage"]) == (2, "block2")
    assert (deep["frozen"], deep["stage"]) == (4, "block4")
    assert deep["trained"] == 5130
    assert deep["flops"] < shallow["flops"]
    assert finished.folder.name.startswith("study-digits-squeezenet1_1-depth-")


def test_a_finished_sweep_is_shown_again_not_made_again(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (finished.folder / "MANIFEST.sha256").read_bytes()
    assert main(["depth", "--resume", str(finished.folder), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == finished.record
    assert (finished.folder / "MANIFEST.sha256").read_bytes() == before


@pytest.mark.parametrize("columns", ["80", "40"])
def test_the_card_fits_the_terminal(
    finished: Finished,
    columns: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.chdir(finished.folder.parent)
    assert main(["depth", "--resume", finished.folder.name]) == 0
    out = capfd.readouterr().out
    files = len(f"files  {finished.folder}")
    assert max(len(line) for line in out.splitlines() if "/" not in line) <= int(columns)
    assert max(map(len, out.splitlines())) <= max(int(columns), files)
    for words in ("squeezenet1_1", "●", "best", "FLOP/epoch"):
        assert words in out


def test_runs_that_a_kill_took_are_made_again_and_no_others(
    finished: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    shutil.copytree(finished.folder, folder)
    for name in ("MANIFEST.sha256", "record.json", "depth.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "runs" / "004-bottom-seed1")
    (folder / "runs" / "002-bottom-2-seed1" / "MANIFEST.sha256").unlink()
    kept = {
        path: path.stat().st_mtime_ns
        for name in ("001-bottom-2-seed0", "003-bottom-seed0")
        for path in (folder / "runs" / name).iterdir()
    }
    assert main(["depth", "--resume", str(folder), "-q"]) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    record = json.loads((folder / "depth.json").read_text())
    for mine, theirs in zip(record["curve"], finished.record["curve"], strict=True):
        assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}


def test_the_plan_names_the_depths(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["depth", *FAST, "--folds", "5", "--dry-run"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        "none: 0 frozen; 5 runs",
        "bottom:1: 1 frozen, up to block1; 5 runs",
        "bottom:2: 2 frozen, up to block2; 5 runs",
        "bottom:3: 3 frozen, up to block3; 5 runs",
        "bottom: 4 frozen, up to block4; 5 runs",
    ]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--depths", "0,9"], 2, "'9' is no number of stages from 0 to 4"),
        (["--depths", "all"], 2, "is one depth"),
        (["--freeze", "none"], 2, "No such option"),
        (["--seeds", "0"], 3, "'seeds' is 0"),
        (["--backbone", "resnet19"], 2, "resnet1"),
        (["--resume", "nowhere"], 3, "nowhere is no study"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_written(
    tmp_path: Path, options: list[str], code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [] if "--resume" in options else [*FAST, "--out", str(tmp_path / "runs")]
    assert main(["depth", *given, *options]) == code
    assert words in capfd.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_configuration_file_may_not_freeze(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for text, words in (("freeze: none", "sets --freeze itself"), ("lr: [1, 2]", "varies nothing")):
        file = tmp_path / "options.yaml"
        file.write_text(text)
        assert main(["depth", *FAST, "--config", str(file), "--out", str(tmp_path / "runs")]) == 2
        assert words in capfd.readouterr().err


def test_a_study_of_something_else_is_not_gone_on_with(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text("folds: null\nseeds: 2\nfreeze: [none, norm]\n")
    assert main(["depth", "--resume", str(tmp_path)]) == 3
    assert "ftcore study --resume" in capfd.readouterr().err


def test_a_configuration_and_its_fields_are_not_both_given() -> None:
    config = StudyConfig.of({}, "the test")
    with pytest.raises(ftcore.UsageError, match="not both"):
        ftcore.depth(config, seeds=2)


def test_a_dry_run_of_auto_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    given = ["run", *FAST, "--freeze", "auto:stages=1", "--dry-run"]
    assert main(given) == 0
    lines = capfd.readouterr().out.splitlines()
    reasons = [line for line in lines if "relative gradient norm" in line]
    assert [line.partition(":")[0] for line in reasons] == ["block1", "block2", "block3", "block4"]
    assert sum(line.endswith("frozen, the largest alone trains") for line in reasons) == 3
    assert main([*given, "--json"]) == 0
    stages = json.loads(capfd.readouterr().out)["stages"]
    trained = [stage for stage in stages if stage["trained"]]
    assert [stage["name"] for stage in trained][-1] == "head"
    assert "100% of the largest" in trained[0]["reason"]
