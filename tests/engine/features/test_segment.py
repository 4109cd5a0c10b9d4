from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ftcore.engine.features.segment import Rows, Segment
from ftcore.errors import DataError

NAMES = tuple(f"{index:064x}" for index in range(5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 4, 4)])
def test_what_is_written_comes_back(
    tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    features = torch.randn(shape).to(dtype)
    segment = Segment(NAMES, features, 1.5, "folded", 2e-6)
    segment.write(tmp_path / segment.file_name, "key")
    read = Segment.open(tmp_path / segment.file_name, "key")
    assert tuple(read.names) == NAMES
    assert torch.equal(read.features, features)
    assert (read.seconds, read.how, read.difference) == (1.5, "folded", 2e-6)


def test_writing_into_what_was_read_changes_no_file(tmp_path: Path) -> None:
    Segment(NAMES, torch.ones(5, 2), 1.0).write(tmp_path / "a", "key")
    Segment.open(tmp_path / "a", "key").features.zero_()
    assert Segment.open(tmp_path / "a", "key").features.sum() == 10


@pytest.mark.parametrize("place", [0, 20, 100, -1])
def test_a_changed_bit_is_noticed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a"
    Segment(NAMES, torch.randn(5, 300), 1.0).write(path, "key")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        Segment.open(path, "key")


@pytest.mark.parametrize("size", [0, 7, 50, 900])
def test_a_cut_off_file_is_noticed(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a"
    Segment(NAMES, torch.randn(5, 300), 1.0).write(path, "key")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match="damaged"):
        Segment.open(path, "key")


def test_features_of_another_function_are_not_opened(tmp_path: Path) -> None:
    Segment(NAMES, torch.randn(5, 3), 1.0).write(tmp_path / "a", "key")
    with pytest.raises(DataError, match="other features"):
        Segment.open(tmp_path / "a", "another key")


def test_rows_of_several_parts_are_taken_as_of_one() -> None:
    whole = torch.randn(11, 3)
    rows = Rows([whole[:4], whole[4:5], whole[5:]])
    indices = torch.tensor([10, 0, 4, 3, 3, 5])
    assert torch.equal(rows.take(indices), whole[indices])
    assert torch.equal(Rows([whole]).take(indices), whole[indices])
    assert len(rows) == 11
    assert rows.row_bytes == 12
