"""Array files: every type they may have, and every way in which they may be wrong."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ftcore.arrays import open_array
from ftcore.errors import DataError

VALUES = np.arange(12).reshape(4, 3)


def npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, array)  # type: ignore[arg-type]
    return file.getvalue()


def with_header(text: str, data: bytes = b"", version: int = 1) -> bytes:
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text.encode() + data


def tensors(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}}


class Opened:
    """What unpickling would do: leave a file behind."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
)
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 100])
def test_npy_of_every_type_is_read_block_by_block(dtype: str, rows: int, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", VALUES.astype(dtype))
    array = open_array(tmp_path / "x.npy", "any")
    blocks = [block.clone() for block in array.blocks(rows)]
    assert [len(block) for block in blocks[:-1]] == [rows] * (len(blocks) - 1)
    expected = torch.from_numpy(VALUES.astype(dtype))
    assert torch.equal(torch.cat(blocks), expected)
    assert torch.equal(array.read(), expected)
    assert array.dtype == expected.dtype


@pytest.mark.parametrize(
    "dtype",
    [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.uint8],
    ids=str,
)
def test_safetensors_of_every_type_wherever_they_begin(dtype: torch.dtype, tmp_path: Path) -> None:
    values = torch.from_numpy(VALUES).to(dtype)
    others = {"a": torch.zeros(3, dtype=torch.uint8), "z": torch.ones(5)}
    save_file({"x": values, **others}, tmp_path / "x.safetensors", {"made": "up"})
    array = open_array(tmp_path / "x.safetensors", "x")
    assert torch.equal(array.read(), values)
    assert torch.equal(torch.cat([block.clone() for block in array.blocks(3)]), values)


def test_the_only_tensor_of_a_file_may_have_any_name(tmp_path: Path) -> None:
    save_file({"scores": torch.ones(2, 3)}, tmp_path / "x.safetensors")
    assert open_array(tmp_path / "x.safetensors", "logits").shape == (2, 3)


def test_a_header_of_the_second_version_is_read(tmp_path: Path) -> None:
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n"
    (tmp_path / "x.npy").write_bytes(
        with_header(text, np.array([1, 2], np.float32).tobytes(), version=2)
    )
    assert open_array(tmp_path / "x.npy", "x").read().tolist() == [1, 2]


F4 = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n"
WRONG: list[tuple[str, bytes | None, str]] = [
    ("x.npy", None, "there is no file"),
    ("x.txt", b"1 2", "must end in .npy or .safetensors"),
    ("x.npy", b"", "is empty (0 bytes)"),
    ("x.npy", b"hello, world", "is damaged or no .npy file"),
    ("x.npy", b"\x93NUMPY", "is damaged or no .npy file"),
    ("x.npy", npy(VALUES)[:100], "is damaged or no .npy file"),
    ("x.npy", npy(VALUES)[:-1], "has 223 bytes, but its header says 224"),
    ("x.npy", npy(VALUES)[:128], "has 128 bytes, but its header says 224"),
    ("x.npy", npy(VALUES) * 2, "has 448 bytes, but its header says 224"),
    ("x.npy", with_header(F4 % "(-2, 3)", bytes(24)), "its shape is (-2, 3)"),
    ("x.npy", with_header(F4 % "(10**30, 3)"), "is damaged or no .npy file"),
    ("x.npy", with_header(F4 % "(1000000000000, 1000000000000)"), "but its header says"),
    ("x.npy", with_header("(" * 5000), "is damaged or no .npy file"),
    ("x.npy", with_header("__import__('os').mkdir('unpickled')"), "is damaged or no .npy file"),
    ("x.npy", npy(np.array([Opened()])), "holds Python objects"),
    ("x.npy", npy(np.asfortranarray(VALUES)), "column after column (Fortran order)"),
    ("x.npy", npy(VALUES.astype(">f4")), "holds >f4"),
    ("x.npy", npy(VALUES.astype("c16")), "holds <c16"),
    ("x.npy", npy(VALUES > 3), "holds |b1"),
    ("x.npy", npy(np.array(["a", "b"])), "holds <U1"),
    ("x.npy", npy(np.zeros(2, dtype=[("a", "f4")])), "holds |V4"),
    ("x.safetensors", b"", "is empty (0 bytes)"),
    ("x.safetensors", b"1234", "is damaged or no safetensors file"),
    ("x.safetensors", npy(VALUES), "is damaged or no safetensors file"),
    ("x.safetensors", tensors(b"{", length=2**62), "is damaged or no safetensors file"),
    ("x.safetensors", tensors(b"[1, 2]"), "is damaged or no safetensors file"),
    ("x.safetensors", tensors(entry("F32", [2], 0, 8), bytes(7)), "no safetensors file"),
    ("x.safetensors", tensors(entry("F32", [2], 0, 8), bytes(9)), "no safetensors file"),
    ("x.safetensors", tensors(entry("F32", [3], 0, 8), bytes(8)), "no safetensors file"),
    ("x.safetensors", tensors(entry("F32", [2], -8, 0), bytes(8)), "no safetensors file"),
    ("x.safetensors", tensors({}), "has no tensor 'logits'; it has none at all"),
    ("x.safetensors", tensors(entry("BOOL", [2], 0, 2), bytes(2)), "is BOOL"),
]


@pytest.mark.parametrize(("name", "content", "words"), WRONG)
def test_what_is_wrong_is_said_and_nothing_is_run(
    name: str, content: bytes | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(words)) as raised:
        open_array(path, "logits")
    assert str(path) in str(raised.value)
    assert not (tmp_path / "unpickled").exists()


def test_a_missing_tensor_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(DataError, match="no tensor 'logits'; it has 'a', 'b'"):
        open_array(tmp_path / "x.safetensors", "logits")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "x.npy").mkdir()
    with pytest.raises(DataError, match="is a folder or a device"):
        open_array(tmp_path / "x.npy", "x")


def test_a_file_cut_off_while_it_is_read_names_the_byte_and_the_row(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, VALUES)
    array = open_array(path, "x")
    os.truncate(path, array.offset + 2 * 24 + 5)
    with pytest.raises(DataError, match=r"ends at byte 181, in row 2"):
        list(array.blocks(1))
    with pytest.raises(DataError, match=r"ends at byte 181, in row 2"):
        array.read()
