from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from ftcore import ArraySplit, DataError, FileSplit, Split


def _array_split(count: int = 5, channels: int = 1) -> ArraySplit:
    images = torch.arange(count * channels * 6, dtype=torch.uint8).view(count, channels, 2, 3)
    return ArraySplit(images, torch.arange(count), [f"x/{index}" for index in range(count)])


def _file_split(root: Path, sizes: list[tuple[int, int]]) -> FileSplit:
    paths = [root / f"{index}.png" for index in range(len(sizes))]
    for index, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        Image.new("L", size, index).save(path)
    return FileSplit.from_classes(root, ["only"], {"only": paths})


def test_array_split() -> None:
    split = _array_split()
    assert isinstance(split, Split)
    assert len(split) == 5
    assert split.input_shape == (2, 3)
    for indices in ([3, 0, 3], range(1, 4), torch.tensor([4])):
        stacked: object = split.inputs(indices)  # type: ignore[arg-type]
        assert isinstance(stacked, torch.Tensor)
        assert torch.equal(stacked, split.images[[int(index) for index in indices]])


@pytest.mark.parametrize(
    ("images", "targets", "ids", "reason"),
    [
        (torch.zeros(2, 1, 4, 4), 2, 2, "uint8"),
        (torch.zeros(2, 4, 4, dtype=torch.uint8), 2, 2, "uint8"),
        (torch.zeros(2, 4, 4, 4, dtype=torch.uint8), 2, 2, "1 or 3"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), 3, 2, "2 images, 3 targets and 2 ids"),
        (torch.zeros(2, 1, 4, 4, dtype=torch.uint8), 2, 1, "2 images, 2 targets and 1 ids"),
    ],
)
def test_array_split_refuses(images: torch.Tensor, targets: int, ids: int, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        ArraySplit(images, torch.zeros(targets, dtype=torch.int64), ["id"] * ids)


def test_file_split_decodes_in_order(tmp_path: Path) -> None:
    split = _file_split(tmp_path, [(4, 2)] * 20)
    assert isinstance(split, Split)
    order = [7, 3, 3, 19, 0]
    assert [int(image[0, 0, 0]) for image in split.inputs(order)] == order
    assert split.ids[7] == "7.png"


def test_file_split_names_a_broken_file(tmp_path: Path) -> None:
    split = _file_split(tmp_path, [(4, 2)] * 6)
    (tmp_path / "4.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"4\.png is empty"):
        split.inputs(range(6))


def test_file_split_in_a_loaders_workers(tmp_path: Path) -> None:
    split = _file_split(tmp_path, [(4, 2)] * 6)
    loader: DataLoader[Any] = DataLoader(
        range(6),  # type: ignore[arg-type]
        batch_size=3,
        num_workers=1,
        collate_fn=split.inputs,
    )
    values = [int(image[0, 0, 0]) for batch in loader for image in batch]
    assert values == list(range(6))


def test_file_split_counts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 images, 2 targets and 1 ids"):
        FileSplit([tmp_path], torch.zeros(2), ["x"])


def test_typical_size_is_the_median_of_readable_headers(tmp_path: Path) -> None:
    split = _file_split(tmp_path, [(10, 20), (12, 22), (1000, 24), (8, 9), (14, 28)])
    (tmp_path / "3.png").write_bytes(b"no image")
    assert split.input_shape == (22, 12)
    (tmp_path / "no images").mkdir()
    assert _file_split(tmp_path / "no images", []).input_shape == ()


def test_targets_and_ids_of_classes(tmp_path: Path) -> None:
    odd = b"\xff.png".decode("utf-8", "surrogateescape")
    images = {"b": [tmp_path / "b" / "1.png"], "a": [tmp_path / "a" / odd]}
    split = FileSplit.from_classes(tmp_path, ["a", "b", "c"], images)
    assert split.ids == ["a/\\xff.png", "b/1.png"]
    assert split.targets.tolist() == [0, 1]
    assert split.targets.dtype == torch.int64


def test_images_of_a_class_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="images of 'b', which is none of the classes"):
        FileSplit.from_classes(tmp_path, ["a"], {"b": [tmp_path / "1.png"]})
