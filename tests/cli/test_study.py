from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ftcore.cli import main
from tests.cli.finished import Finished

NET = ["--backbone", "resnet18", "--weights", "none", "--image-size", "32", "-q"]
FAST = [*NET, "--limit", "120", "--epochs", "2", "--batch-size", "64"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("study")
    grid = ["--lr", "0.01", "--lr", "0.0001", "--folds", "3"]
    assert main(["study", *FAST, *grid, "--out", str(folder)]) == 0
    (made,) = folder.iterdir()
    return Finished(made, json.loads((made / "record.json").read_text()))


def test_a_study_leaves_a_run_for_each_fold_and_seed(finished: Finished) -> None:
    runs = sorted(path.name for path in (finished.folder / "runs").iterdir())
    assert len(runs) == 6
    assert runs[0] == "001-lr=0.01-fold1-seed0"
    assert [len(cell["runs"]) for cell in finished.record["cells"]] == [3, 3]
    score = finished.record["cells"][0]["metrics"]["accuracy"]
    assert score["n"] == 120
    assert score["low"] < score["value"] < score["high"]
    assert not list(finished.folder.rglob("model.safetensors"))


def test_a_finished_study_is_shown_again_not_made_again(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "--resume", str(finished.folder), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == finished.record


def test_the_saved_study_makes_the_same_runs(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "--config", str(finished.folder / "study.yaml"), "--dry-run"]) == 0
    names = capfd.readouterr().out.split()
    assert names == sorted(path.name for path in (finished.folder / "runs").iterdir())


@pytest.mark.parametrize("columns", ["80", "40"])
def test_the_cards_fit_the_terminal(
    finished: Finished,
    columns: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.chdir(finished.folder.parent)
    assert main(["study", "--resume", finished.folder.name]) == 0
    assert main(["compare", finished.folder.name]) == 0
    out = capfd.readouterr().out
    assert max(map(len, out.splitlines())) <= max(int(columns), len(str(finished.folder)) + 20)
    for words in ("lr=0.01", "best", "the reference", "corrected t over folds: p ="):
        assert words in out


def test_runs_of_a_study_can_be_compared_one_by_one(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = finished.folder / "runs"
    pair = [str(runs / "001-lr=0.01-fold1-seed0"), str(runs / "004-lr=0.0001-fold1-seed0")]
    assert main(["compare", *pair, "--json", "--metric", "accuracy"]) == 0
    found = json.loads(capfd.readouterr().out)["pairs"][0]["differences"]
    assert [each["metric"] for each in found] == ["accuracy"]
    assert found[0]["tests"][0]["name"] == "McNemar, mid-p"


def test_runs_on_other_examples_are_refused(
    finished: Finished, capfd: pytest.CaptureFixture[str]
) -> None:
    runs = finished.folder / "runs"
    pair = [str(runs / "001-lr=0.01-fold1-seed0"), str(runs / "002-lr=0.01-fold2-seed0")]
    assert main(["compare", *pair]) == 3
    assert "tested on other examples, 40 and 40, of which 0 are the same" in capfd.readouterr().err


def test_one_run_alone_is_refused(finished: Finished, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(finished.folder / "runs" / "001-lr=0.01-fold1-seed0")]) == 2
    assert "two runs or more" in capfd.readouterr().err


def test_runs_are_made_beside_each_other(tmp_path: Path) -> None:
    given = ["--freeze", "none", "--limit", "50", "--epochs", "1"]
    grid = ["--clip-norm", "1", "--clip-norm", "-1", "--jobs", "2", "--out", str(tmp_path)]
    assert main(["study", *NET, *given, *grid]) == 3  # not even begun
    grid[3] = "2"
    assert main(["study", *NET, *given, *grid]) == 0
    (folder,) = tmp_path.iterdir()
    record = json.loads((folder / "record.json").read_text())
    assert [len(cell["runs"]) for cell in record["cells"]] == [1, 1]
    assert all(cell["metrics"]["accuracy"]["low"] is not None for cell in record["cells"])


def test_a_backbone_that_fails_leaves_the_rest_and_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--backbone", "resnet19", "--seeds", "1", "--out", str(tmp_path)]
    assert main(["study", *FAST, *given]) == 1
    printed = capfd.readouterr()
    assert "1 of 2 runs failed" in printed.err
    assert "did you mean 'resnet1" in printed.err.lower()
    (folder,) = tmp_path.iterdir()
    failed = [cell["runs"][0]["failure"] for cell in json.loads(
        (folder / "record.json").read_text()
    )["cells"]]  # fmt: skip
    assert sum(map(bool, failed)) == 1


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder dataset of noise: two classes, three training images of the second one."""
    generator = np.random.default_rng(0)
    for name, count in (("ant", 8), ("bee", 3)):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for index in range(count):
            pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{index % 4}_{index}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--folds", "5"], 3, "class 'bee' of dataset"),
        (["--folds", "1"], 3, "'folds' is 1"),
        (["--folds", "3", "--group", "x(.*)"], 3, "finds no group in the id"),
        (["--folds", "9", "--group", "/(.)_"], 3, "finds 4 groups"),
        (["--shots", "9"], 3, "fewer than --shots 9"),
        (["--shots", "two"], 3, "'shots' is 'two'"),
        (["--freeze", "botom"], 2, "'bottom'"),
        (["--resume", "nowhere"], 3, "nowhere is no study"),
    ],
)
def test_what_cannot_be_studied_is_refused_before_anything_is_written(
    photos: Path, options: list[str], code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    out = photos.parent / "runs"
    given = [] if "--resume" in options else [*NET, "--dataset", f"folder:path={photos}"]
    given += [] if "--resume" in options else ["--out", str(out)]
    assert main(["study", *given, *options]) == code
    assert words in capfd.readouterr().err
    assert not out.exists()


def test_one_class_alone_is_refused(photos: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in (photos / "bee").iterdir():
        path.unlink()
    (photos / "bee").rmdir()
    given = [*NET, "--dataset", f"folder:path={photos}", "--out", str(photos.parent / "runs")]
    assert main(["study", *given, "--folds", "2"]) == 3
    assert "needs at least 2" in capfd.readouterr().err
