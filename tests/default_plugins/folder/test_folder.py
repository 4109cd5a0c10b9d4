from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from ftcore import DataBundle, DataError
from ftcore.default_plugins.folder import load_folder
from ftcore.registry import Registry
from ftcore.testing import check_dataset


def _write(root: Path, *names: str) -> None:
    """Write an image at each name that has an image's suffix, else an empty file or folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        elif path.suffix in (".png", ".jpg", ".gif"):
            Image.new("RGB", (6, 4), (len(name), 0, 0)).save(path)
        else:
            path.touch()


def _classes(bundle: DataBundle, part: str) -> dict[str, str]:
    split = bundle.splits[part]
    names = [bundle.classes[target] for target in split.targets.tolist()]
    return dict(zip(split.ids, names, strict=True))


def test_one_folder_of_classes(tmp_path: Path) -> None:
    _write(tmp_path / "pets", "dog/b.png", "cat/a b.png", "dog/deep/er/é.jpg")
    bundle = load_folder(tmp_path / "pets")
    assert (bundle.name, bundle.task) == ("pets", "classification")
    assert bundle.classes == ("cat", "dog")
    assert bundle.input_shape == (4, 6)
    assert bundle.notes == ()
    assert _classes(bundle, "train") == {
        "cat/a b.png": "cat",
        "dog/b.png": "dog",
        "dog/deep/er/é.jpg": "dog",
    }
    assert [int(image[0, 0, 0]) for image in bundle.splits["train"].inputs([0])] == [11]


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (("train",), {"train"}),
        (("train", "test"), {"train", "test"}),
        (("train", "val", "test"), {"train", "val", "test"}),
        (("Training", "VALIDATION", "testing"), {"train", "val", "test"}),
        (("train", "valid"), {"train", "val"}),
    ],
)
def test_folders_of_parts(tmp_path: Path, folders: tuple[str, ...], parts: set[str]) -> None:
    for folder in folders:
        _write(tmp_path / folder, "a/1.png", "b/1.png")
    bundle = load_folder(tmp_path)
    assert set(bundle.splits) == parts
    check_dataset(bundle)
    assert bundle.splits["train"].ids == [f"{folders[0]}/a/1.png", f"{folders[0]}/b/1.png"]


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    _write(
        tmp_path, "train/a/1.png", "train/b/1.png", "train/c/1.png", "val/c/1.png", "val/b/1.png"
    )
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("a", "b", "c")
    assert _classes(bundle, "val") == {"val/b/1.png": "b", "val/c/1.png": "c"}
    assert bundle.notes == ("classes without images in the val part: 'a'",)


def test_classes_are_in_natural_order(tmp_path: Path) -> None:
    for name in ("10", "9", "b", "a10", "a9", "B", "01"):
        _write(tmp_path, f"{name}/1.png")
    assert load_folder(tmp_path).classes == ("01", "9", "10", "B", "a9", "a10", "b")


def test_names_in_either_unicode_form_are_one_class(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    assert composed != decomposed
    _write(tmp_path, f"train/{decomposed}/1.png", "train/bar/1.png", f"val/{composed}/1.png")
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("bar", composed)
    assert bundle.splits["val"].targets.tolist() == [1]


def test_name_that_is_not_utf8(tmp_path: Path) -> None:
    _write(tmp_path, "a/1.png", b"\xff/\xfe.png".decode("utf-8", "surrogateescape"))
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("\\xff", "a")
    assert list(bundle.splits["train"].ids) == ["\\xff/\\xfe.png", "a/1.png"]


def test_litter_is_left_out(tmp_path: Path) -> None:
    litter = (".DS_Store", "train/a/._1.png", "train/.cache/1.png", "train/a/Thumbs.db")
    _write(tmp_path, "train/a/1.png", "train/b/1.png", *litter, "__MACOSX/train/a/1.png")
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("a", "b")
    assert len(bundle.splits["train"]) == 2
    assert bundle.notes == ()


def test_what_is_left_out_is_noted(tmp_path: Path) -> None:
    _write(tmp_path, "train/a/1.png", "train/b/1.png", "train/b/labels.csv", "train/stray.png")
    _write(tmp_path, "test/1.png", "docs/readme.txt", "val/a/1.png", "val/b/")
    train = tmp_path / "train"
    assert load_folder(tmp_path).notes == (
        f"left out of {tmp_path}: folders that hold no class folders (docs, test)",
        f"left out of {train}: files that are no images (1, such as b/labels.csv)",
        f"left out of {train}: images outside the class folders (1, such as stray.png)",
        "classes without images in the val part: 'b'",
    )


def test_part_without_images_is_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/", "val/b/")
    bundle = load_folder(tmp_path)
    assert set(bundle.splits) == {"train"}
    assert bundle.notes == (
        f"left out of the dataset: {tmp_path / 'val'}, which holds no images of any class",
    )


def test_classes_that_differ_in_case_are_noted(tmp_path: Path) -> None:
    _write(tmp_path, "Ant/1.png", "ant/1.png", "bee/1.png")
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("Ant", "ant", "bee")
    assert bundle.notes == (
        "the classes 'Ant' and 'ant' differ in upper and lower case alone; are they one?",
    )


def test_a_class_may_be_called_like_a_part(tmp_path: Path) -> None:
    _write(tmp_path, "train/1.png", "bus/1.png")
    bundle = load_folder(tmp_path)
    assert bundle.classes == ("bus", "train")
    assert bundle.notes == (f"{tmp_path}: 'train' is taken for a class, not for a part",)


def test_links_that_loop(tmp_path: Path) -> None:
    _write(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(load_folder(tmp_path).splits["train"]) >= 2


def test_unreadable_image_is_named_when_it_is_read(tmp_path: Path) -> None:
    _write(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b/2.jpg").write_bytes(b"no image")
    split = load_folder(tmp_path).splits["train"]
    with pytest.raises(DataError, match=r"2\.jpg cannot be decoded"):
        split.inputs(range(3))


def _flat(root: Path) -> None:
    _write(root, "1.png", "2.png")


def _flat_parts(root: Path) -> None:
    _write(root, "train/1.png", "test/1.png")


def _empty_class(root: Path) -> None:
    _write(root, "train/a/1.png", "train/b/notes.txt", "val/a/1.png", "val/b/1.png")


def _unknown_class(root: Path) -> None:
    _write(root, "train/a/1.png", "train/b/1.png", "test/c/1.png")


def _other_case(root: Path) -> None:
    _write(root, "train/Ant/1.png", "train/b/1.png", "val/ant/1.png")


def _no_train(root: Path) -> None:
    _write(root, "val/a/1.png", "test/a/1.png")


def _twice_val(root: Path) -> None:
    _write(root, "train/a/1.png", "val/a/1.png", "valid/a/1.png")


def _wrong_level(root: Path) -> None:
    _write(root, "data/train/a/1.png", "data/val/a/1.png")


def _empty(root: Path) -> None:
    _write(root, "a/", "b/")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (_flat, r"no class folder with images in it \(2 images outside them, 0 other files\)"),
        (_flat_parts, "no train folder with a folder for each class"),
        (_empty, "no class folder with images in it"),
        (_empty_class, r"the class folder .*train/b holds no images; add some, or delete"),
        (_unknown_class, r"test has the class 'c', which the train part lacks; add it there"),
        (_other_case, r"val has the class 'ant', which .* lacks; rename it to 'Ant'"),
        (_no_train, "holds test, val, but no train folder"),
        (_twice_val, r"two folders for the val part, 'val' and 'valid'; rename"),
        (_wrong_level, r"data holds train, val, so it is a dataset .* did you mean path=.*data\?"),
        (lambda root: None, "no class folder with images in it"),
        (lambda root: root.rmdir(), "does not exist; name one as in folder:path=PATH"),
        (lambda root: (root.rmdir(), root.touch()), "is a file, not a folder"),
    ],
)
def test_refused(tmp_path: Path, write: Callable[[Path], object], message: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write(root)
    with pytest.raises(DataError, match=message) as caught:
        load_folder(root)
    assert str(root) in str(caught.value)


def test_spec(tmp_path: Path) -> None:
    _write(tmp_path, "a/1.png", "b/1.png")
    registry: Registry[DataBundle] = Registry("dataset")
    registry.registrar("test")("folder", load_folder)
    for spec in (f"folder:{tmp_path}", f"folder:path={tmp_path}"):
        assert registry.create(spec).classes == ("a", "b")


@pytest.mark.shared_data
def test_hymenoptera(shared_data: Path) -> None:
    bundle = load_folder(shared_data / "hymenoptera" / "hymenoptera_data")
    assert bundle.name == "hymenoptera_data"
    assert bundle.classes == ("ants", "bees")
    assert bundle.notes == ()
    # 244 photographs, and a GIF that says that an image was not found.
    assert bundle.splits["train"].targets.bincount().tolist() == [124, 121]
    assert bundle.splits["val"].targets.bincount().tolist() == [70, 83]
    assert "test" not in bundle.splits
    gif = list(bundle.splits["train"].ids).index("train/ants/imageNotFound.gif")
    [image] = bundle.splits["train"].inputs([gif])
    assert image.shape[0] == 3


@pytest.mark.shared_data
def test_flowers(shared_data: Path) -> None:
    bundle = load_folder(shared_data / "flowers-thumbs")
    assert bundle.classes == ("daisy", "dandelion", "rose", "sunflower", "tulip")
    assert bundle.splits["train"].targets.bincount().tolist() == [150] * 5
    assert bundle.splits["val"].targets.bincount().tolist() == [50] * 5
    assert bundle.input_shape == (128, 128)
