"""Stored logits: their metrics are scikit-learn's, their record says what was scored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.special import log_softmax
from sklearn import metrics as sklearn

import ftcore
from ftcore.errors import ConfigError, DataError, UsageError
from tests.default_plugins.classification.data import batch

METRICS = ("accuracy", "f1_macro", "balanced_accuracy", "mcc", "nll", "brier", "auroc", "top_k:2")


def write(folder: Path, dtype: torch.dtype, rows: int = 300, classes: int = 5) -> Path:
    logits, targets = batch(rows, classes)
    save_file({"logits": logits.to(dtype), "targets": targets}, folder / "x.safetensors")
    return folder / "x.safetensors"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("classes", [2, 5])
def test_metrics_are_those_of_scikit_learn(
    dtype: torch.dtype, classes: int, tmp_path: Path
) -> None:
    record = ftcore.evaluate_logits(logits=write(tmp_path, dtype, 300, classes), metric=METRICS)
    logits, targets = batch(300, classes)
    log_p = log_softmax(logits.to(dtype).double().numpy(), axis=1)
    p, predicted, y = np.exp(log_p), log_p.argmax(1), targets.numpy()
    expected = {
        "accuracy": sklearn.accuracy_score(y, predicted),
        "f1_macro": sklearn.f1_score(y, predicted, average="macro"),
        "balanced_accuracy": sklearn.balanced_accuracy_score(y, predicted),
        "mcc": sklearn.matthews_corrcoef(y, predicted),
        "nll": sklearn.log_loss(y, p),
        "brier": sklearn.brier_score_loss(y, p[:, 1] if classes == 2 else p),
        "auroc": sklearn.roc_auc_score(y, p[:, 1] if classes == 2 else p, multi_class="ovr"),
        "top_2": np.mean([label in row.argsort()[-2:] for label, row in zip(y, p, strict=True)]),
    }
    for name, value in expected.items():
        metric = record.metrics[name]
        assert metric.value == pytest.approx(value, rel=2e-6), name
        assert metric.n == 300
        assert name == "top_2" or (metric.low or 0) < value < (metric.high or 0), name


def test_the_record_says_what_was_scored(tmp_path: Path) -> None:
    path = write(tmp_path, torch.bfloat16, rows=300, classes=3)
    (tmp_path / "names.txt").write_text("ant\nbee\ncrête\n", encoding="utf-8")
    record = ftcore.evaluate_logits(
        logits=path, classes=tmp_path / "names.txt", ignore_index=2, metric=("accuracy",)
    )
    ignored = int((batch(300, 3)[1] == 2).sum())
    assert record.logits is not None
    assert record.logits.model_dump() == {
        "file": str(path),
        "bytes": 300 * 3 * 2,
        "dtype": "bfloat16",
    }
    assert (record.counts.evaluated, record.counts.ignored) == (300 - ignored, ignored)
    assert record.classes == tuple(record.per_class) == ("ant", "bee", "crête")
    assert (record.kind, record.weights, record.directory) == ("evaluation", None, None)
    assert record.config["ignore_index"] == 2
    assert record.timings.keys() == {"test", "intervals"}
    assert ftcore.Record.model_validate_json(record.model_dump_json()) == record


def test_files_of_either_kind_give_the_same_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, torch.float32)
    logits, targets = batch(300, 5)
    np.save(tmp_path / "x.npy", logits.float().numpy())
    np.save(tmp_path / "y.npy", targets.numpy().astype(np.uint8))
    whole = ftcore.evaluate_logits(logits=path)
    apart = ftcore.evaluate_logits(logits=tmp_path / "x.npy", targets=tmp_path / "y.npy")
    assert apart.metrics == whole.metrics


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ant\nbee\n", "has 2 lines, but the logits have 5 columns"),
        ("a\nb\n\nd\ne\n", "line 3 of"),
        ("a\nb\nc\nb\ne\n", "names a class more than once: 'b'"),
        (b"\xff\xfe", "cannot read the classes"),
        (None, "cannot read the classes"),
    ],
)
def test_wrong_class_names(text: str | bytes | None, words: str, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    if text is not None:
        names.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DataError, match=words):
        ftcore.evaluate_logits(logits=write(tmp_path, torch.float32), classes=names)


def test_options_are_checked(tmp_path: Path) -> None:
    path = write(tmp_path, torch.float32)
    with pytest.raises(ConfigError, match="unknown key 'target'; did you mean 'targets'"):
        ftcore.evaluate_logits(logits=path, target=path)
    with pytest.raises(UsageError, match="accuracy"):
        ftcore.evaluate_logits(logits=path, metric=("acuracy",))
    with pytest.raises(ConfigError, match="--metric nll"):
        ftcore.evaluate_logits(logits=path, metric=("accuracy",), require=("nll<1",))


MEMORY = """
import sys
from pathlib import Path
import ftcore
def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
small, large = ({"logits": Path(f) / "x.npy", "targets": Path(f) / "y.npy"} for f in sys.argv[1:])
ftcore.evaluate_logits(**small)
before = peak()
ftcore.evaluate_logits(**large)
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    for name, rows in (("small", 100), ("large", 50_000)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "y.npy", np.arange(rows) % 1000)
        shape = np.lib.format.header_data_from_array_1_0(np.zeros((1, 1), np.float32))
        with (tmp_path / name / "x.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {**shape, "shape": (rows, 1000)})
            file.truncate(file.tell() + rows * 1000 * 4)  # 200 MB of zeros
    folders = [str(tmp_path / name) for name in ("small", "large")]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *folders], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 100
