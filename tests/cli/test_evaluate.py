"""`ftcore evaluate --logits`: its options, its exit codes, its streams."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ftcore.cli import main
from tests.default_plugins.classification.data import batch


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options that name logits and targets in the working folder."""
    monkeypatch.chdir(tmp_path)
    logits, targets = batch(200, 4)
    np.save("logits.npy", logits.float().numpy())
    np.save("targets.npy", targets.numpy())
    return ["--logits", "logits.npy", "--targets", "targets.npy"]


def test_the_card_names_the_file_and_no_model(
    files: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *files, "--ignore-index", "3"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0] == "logits.npy · stored logits, float32"
    ignored = int((batch(200, 4)[1] == 3).sum())
    assert f"95 % interval, {200 - ignored} test examples" in lines[1]
    assert f"{ignored} examples, not scored" in out
    assert "weights" not in out
    assert err == ""


def test_json_is_one_document(files: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *files, "--metric", "accuracy", "--json", "-q"]) == 0
    record = json.loads(capfd.readouterr().out)
    logits, targets = batch(200, 4)
    right = int((logits.argmax(1) == targets).sum())
    assert record["metrics"]["accuracy"]["value"] == right / 200
    assert record["config"]["logits"] == "logits.npy"
    assert record["weights"] is None


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--require", "accuracy>=0"], 0, ""),
        (["--require", "accuracy.low>=0.99"], 5, "requirement not met"),
        (["--backbone", "resnet18", "--seed", "1"], 2, "leave out --backbone, --seed"),
        (["--dataset", "digits"], 2, "leave out --dataset"),
        (["runs/x"], 2, "leave out the run runs/x"),
        (["--ignore-index", "none"], 2, "'none' is not a valid integer"),
        (["--classes", "no.txt"], 3, "cannot read the classes in no.txt"),
        (["--targets", "no.npy"], 3, "there is no file no.npy"),
        (["--logits", "targets.npy"], 3, "logits in targets.npy are torch.int64"),
    ],
)
def test_exit_codes(
    options: list[str],
    code: int,
    words: str,
    files: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["evaluate", *files, *options, "-q"]) == code
    printed = capfd.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert bool(printed.out) == (code in (0, 5))


def test_logits_that_are_not_finite_end_with_4(
    files: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    logits = np.load("logits.npy")
    logits[17, 2] = np.nan
    np.save("logits.npy", logits)
    assert main(["evaluate", *files]) == 4
    out, err = capfd.readouterr()
    assert out == ""
    assert "logits.npy are not finite in 1 of the 200 rows" in err
    assert "the first is row 17" in err


@pytest.mark.parametrize(
    ("option", "value"), [("--targets", "y.npy"), ("--classes", "c"), ("--ignore-index", "0")]
)
def test_what_goes_with_logits_needs_them(
    option: str, value: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", option, value]) == 2
    assert f"{option} goes with --logits, which is not given" in capfd.readouterr().err
