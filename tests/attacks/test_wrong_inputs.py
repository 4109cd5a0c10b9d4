"""Wrong inputs by command line: the right exit code, one sentence, nothing half-written."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ftcore.cli import main

NET = ["--backbone", "squeezenet1_1", "--weights", "none", "--image-size", "32"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder dataset of noise: two classes, train and test."""
    generator = np.random.default_rng(0)
    for part, count in (("train", 6), ("test", 3)):
        for name in ("ant", "bee"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    return tmp_path / "photos"


def truncate(photos: Path) -> None:
    path = photos / "train" / "bee" / "3.png"
    path.write_bytes(path.read_bytes()[:200])


def empty_file(photos: Path) -> None:
    (photos / "test" / "ant" / "1.png").write_bytes(b"")


def not_an_image(photos: Path) -> None:
    (photos / "train" / "ant" / "2.png").write_text("hello")


def empty_class(photos: Path) -> None:
    (photos / "train" / "cat").mkdir()


def class_missing_in_train(photos: Path) -> None:
    shutil.copytree(photos / "test" / "ant", photos / "test" / "wasp")


def one_class(photos: Path) -> None:
    for part in ("train", "test"):
        shutil.rmtree(photos / part / "bee")


def no_images(photos: Path) -> None:
    for path in photos.rglob("*.png"):
        path.unlink()


def one_example(photos: Path) -> None:
    for path in sorted((photos / "train" / "bee").iterdir())[1:]:
        path.unlink()


def unchanged(photos: Path) -> None:
    pass


FOLDER = "folder:path={photos}"

CASES: list[tuple[str, Callable[[Path], None], list[str], int, str]] = [
    ("unknown backbone", unchanged, ["--backbone", "resnet19"], 2, "'resnet18'"),
    ("unknown strategy", unchanged, ["--freeze", "botom"], 2, "'bottom'"),
    ("unknown dataset", unchanged, ["--dataset", "digit"], 2, "'digits'"),
    ("unknown task", unchanged, ["--task", "clasification"], 2, "'classification'"),
    ("unknown metric", unchanged, ["--metric", "acuracy"], 2, "'accuracy'"),
    ("metric twice", unchanged, ["--metric", "accuracy", "--metric", "accuracy"], 2, "twice"),
    ("unknown option", unchanged, ["--epoch", "3"], 2, "--epochs"),
    ("not a number", unchanged, ["--epochs", "three"], 2, "three"),
    ("not a choice", unchanged, ["--optimizer", "adam"], 2, "adam"),
    ("bad spec", unchanged, ["--freeze", "bottom:"], 2, "'bottom:'"),
    ("bad spec option", unchanged, ["--freeze", "gradual:evry=2"], 2, "'evry'"),
    ("bad spec value", unchanged, ["--freeze", "gradual:every=two"], 2, "'two'"),
    ("too many stages", unchanged, ["--freeze", "bottom:99"], 3, "bottom:99"),
    ("unknown augmentation", unchanged, ["--augment", "flipp"], 2, "flip"),
    ("unknown schedule", unchanged, ["--schedule", "cosin"], 2, "cosine"),
    ("lr zero", unchanged, ["--lr", "0"], 3, "'lr' is '0'"),
    ("lr negative", unchanged, ["--lr", "-0.1"], 3, "'lr' is '-0.1'"),
    ("lr nan", unchanged, ["--lr", "nan"], 3, "'lr' is 'nan'"),
    ("no epochs", unchanged, ["--epochs", "0"], 3, "'epochs' is 0"),
    ("no batch", unchanged, ["--batch-size", "0"], 3, "'batch_size' is 0"),
    ("bad device", unchanged, ["--device", "abacus"], 3, "abacus"),
    ("bad gate", unchanged, ["--require", "accuracy~1"], 2, "accuracy~1"),
    ("gate on another metric", unchanged, ["--require", "auroc>1"], 3, "--metric auroc"),
    ("tiny image size", unchanged, ["--image-size", "2"], 2, "2"),
    ("missing weights", unchanged, ["--weights", "nowhere.pth"], 3, "nowhere.pth"),
    ("weights of another kind", unchanged, ["--weights", "{photos}/notes.txt"], 3, "notes.txt"),
    ("missing folder", unchanged, ["--dataset", "folder:path={photos}/x"], 3, "photos/x"),
    ("missing config", unchanged, ["--config", "{photos}/none.yaml"], 3, "none.yaml"),
    ("unknown key", unchanged, ["--config", "{photos}/unknown.yaml"], 3, "'epoch'"),
    ("duplicate key", unchanged, ["--config", "{photos}/twice.yaml"], 3, "twice"),
    ("not yaml", unchanged, ["--config", "{photos}/broken.yaml"], 3, "broken.yaml"),
    ("a list, no mapping", unchanged, ["--config", "{photos}/list.yaml"], 3, "list.yaml"),
    ("wrong type in file", unchanged, ["--config", "{photos}/type.yaml"], 3, "'many'"),
    ("resume nothing", unchanged, ["--resume", "{photos}"], 3, "no run"),
    ("resume with options", unchanged, ["--resume", "x", "--epochs", "3"], 2, "--epochs"),
    ("output is a file", unchanged, ["--out", "{photos}/notes.txt"], 3, "notes.txt"),
    ("truncated image", truncate, ["--dataset", FOLDER], 3, "bee/3.png"),
    ("empty file", empty_file, ["--dataset", FOLDER], 3, "ant/1.png"),
    ("not an image", not_an_image, ["--dataset", FOLDER], 3, "ant/2.png"),
    ("empty class", empty_class, ["--dataset", FOLDER], 3, "cat"),
    ("class missing in train", class_missing_in_train, ["--dataset", FOLDER], 3, "wasp"),
    ("one class", one_class, ["--dataset", FOLDER], 3, "ant"),
    ("no images", no_images, ["--dataset", FOLDER], 3, "photos"),
    ("one example of a class", one_example, ["--dataset", FOLDER], 3, "'bee'"),
]


@pytest.mark.parametrize(
    ("spoil", "arguments", "code", "words"),
    [pytest.param(*case[1:], id=case[0]) for case in CASES],
)
def test_wrong_input_is_refused_in_a_sentence(
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    (photos / "notes.txt").write_text("not weights")
    (photos / "unknown.yaml").write_text("epoch: 3\n")
    (photos / "twice.yaml").write_text("epochs: 3\nlr: 0.1\nepochs: 4\n")
    (photos / "broken.yaml").write_text("epochs: [3\n")
    (photos / "list.yaml").write_text("- epochs\n")
    (photos / "type.yaml").write_text("epochs: many\n")
    spoil(photos)
    monkeypatch.chdir(photos.parent)
    given = [argument.format(photos=photos) for argument in arguments]
    defaults = [] if "--resume" in given else [flag for flag in NET if NET[0] not in given]
    if "--weights" in given or "--image-size" in given:
        defaults = NET[:2]
    assert main(["run", *defaults, *given]) == code
    printed = capfd.readouterr()
    assert printed.out == ""
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert not (photos.parent / "runs").exists()


def test_a_full_disk_leaves_a_run_that_can_be_resumed(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photos.parent)
    arguments = ["run", *NET, "--dataset", f"folder:path={photos}", "--epochs", "1", "-q"]
    child = os.fork()
    if child == 0:
        # The largest file a process may write stands for the space that is left.
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        os._exit(main(arguments))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    run = photos.parent / "runs" / "folder-squeezenet1_1-bottom-1"
    printed = capfd.readouterr()
    assert "model.safetensors" in printed.err
    assert "Traceback" not in printed.err
    assert not (run / "MANIFEST.sha256").exists()
    assert not list(run.rglob("*.tmp"))
    assert main(["run", "--resume", str(run), "-q"]) == 0
    assert (run / "MANIFEST.sha256").exists()


def test_a_damaged_run_is_noticed(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(photos.parent)
    dataset = ["--dataset", f"folder:path={photos}"]
    assert main(["run", *NET, *dataset, "--epochs", "1", "-q"]) == 0
    run = photos.parent / "runs" / "folder-squeezenet1_1-bottom-1"
    assert main(["predict", str(run), str(photos / "nowhere.png")]) == 3
    assert "nowhere.png" in capfd.readouterr().err
    assert main(["evaluate", str(run), "-q"]) == 0
    weights = run / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    capfd.readouterr()
    assert main(["evaluate", str(run), "-q"]) == 3
    assert "model.safetensors has changed" in capfd.readouterr().err
