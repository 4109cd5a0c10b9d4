from __future__ import annotations

import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftcore import DataError
from ftcore.default_plugins.torchvision_datasets.pickles import load_pickle


def _python2(rows: np.ndarray, labels: list[int]) -> bytes:
    """Return what Python 2 and NumPy 1 wrote for {"labels": …, "data": …}, as in CIFAR."""
    listed = b"".join(b"K" + bytes([label]) for label in labels)
    shape = b"".join(b"J" + struct.pack("<i", size) for size in rows.shape)
    content = rows.tobytes()
    return (
        b"\x80\x02}(U\x06labels](" + listed + b"eU\x04data"
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        b"(K\x01" + shape + b"\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + struct.pack("<i", len(content)) + content + b"tbu."
    )


def _rows() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 3072), dtype=np.uint8)


def test_python_2(tmp_path: Path) -> None:
    (tmp_path / "batch").write_bytes(_python2(_rows(), [3, 1, 2]))
    content = load_pickle(tmp_path / "batch")
    assert content.keys() == {"labels", "data"}
    assert content["labels"] == [3, 1, 2]
    assert np.array_equal(content["data"], _rows())


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_python_3(tmp_path: Path, protocol: int, order: Any) -> None:
    rows = np.array(_rows(), order=order)
    content = {"data": rows, b"labels": [3, 1, 2], "name": "größe"}
    (tmp_path / "batch").write_bytes(pickle.dumps(content, protocol))
    loaded = load_pickle(tmp_path / "batch")
    assert np.array_equal(loaded["data"], rows)
    assert loaded["labels"] == [3, 1, 2]
    assert loaded["name"] == "größe"


class _Call:
    """Pickles as a call, which an unpickler makes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def _attack(name: str, target: Path) -> bytes:
    import builtins
    import os
    import subprocess

    calls = {
        "os.mkdir": _Call(os.mkdir, str(target)),
        "open": _Call(builtins.open, str(target), "w"),
        "eval": _Call(eval, f"open({str(target)!r}, 'w')"),
        "subprocess": _Call(subprocess.check_call, ["touch", str(target)]),
        "numpy.save": _Call(np.save, str(target), [1]),
        "getattr": _Call(getattr, {}, "keys"),
    }
    return pickle.dumps({"data": calls[name]}, 2)


@pytest.mark.parametrize(
    "name", ["os.mkdir", "open", "eval", "subprocess", "numpy.save", "getattr"]
)
def test_attack(tmp_path: Path, name: str) -> None:
    path, target = tmp_path / "batch", tmp_path / "target"
    path.write_bytes(_attack(name, target))
    with pytest.raises(
        DataError, match=r"batch is no CIFAR batch: it asks for .*, which is refused"
    ):
        load_pickle(path)
    assert [each.name for each in tmp_path.iterdir()] == ["batch"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Ran out of input"),
        (b"no pickle", "is no CIFAR batch"),
        (pickle.dumps([1, 2]), "it holds a list, no dict"),
        (_python2(_rows(), [1])[:5000], "is no CIFAR batch"),
        (pickle.dumps({"data": np.zeros(3)}, 2), "an array of 'f8' rather than uint8"),
        (pickle.dumps({"data": np.array([{}])}, 2), "an array of 'O8' rather than uint8"),
        (b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.", "no CIFAR"),
        (
            b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
            "encoding 'zip'",
        ),
        (b"\x80\x02X\x01\x00\x00\x00aQ.", "persistent"),
        (b"\x80\x02\x82\x01.", "no CIFAR batch"),
        (_python2(_rows(), [1]).replace(b"J\x03\0\0\0", b"J\xff\xff\xff\x7f"), "reshape"),
    ],
)
def test_damaged(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_pickle(tmp_path / "batch")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing cannot be read: No such file"):
        load_pickle(tmp_path / "nothing")
