from __future__ import annotations

from pathlib import Path

import pytest

from ftcore import DataError, list_folders, list_images


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def _names(root: Path, paths: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_images_and_other_files(tmp_path: Path) -> None:
    _touch(tmp_path, "b.PNG", "a.jpg", "sub/deep/c.jpeg", "sub/notes.txt", "d.tiff", "no_suffix")
    images, others = list_images(tmp_path)
    assert _names(tmp_path, images) == ["a.jpg", "b.PNG", "d.tiff", "sub/deep/c.jpeg"]
    assert _names(tmp_path, others) == ["no_suffix", "sub/notes.txt"]


@pytest.mark.parametrize(
    "name", [".DS_Store", "._a.jpg", "Thumbs.db", "desktop.ini", "__MACOSX/a.jpg", ".git/a.jpg"]
)
def test_litter_is_left_out(tmp_path: Path, name: str) -> None:
    _touch(tmp_path, name)
    assert list_images(tmp_path) == ([], [])
    assert list_folders(tmp_path) == []


def test_links_are_followed_once(tmp_path: Path) -> None:
    _touch(tmp_path, "real/a.jpg")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real/loop").symlink_to(tmp_path / "real")
    (root / "up").symlink_to(root)
    (root / "self.jpg").symlink_to(root / "self.jpg")
    images, others = list_images(root)
    # A link that leads nowhere is listed, so that decoding it names it.
    assert _names(root, images) == ["self.jpg", "link/a.jpg"]
    assert others == []


def test_folders_are_sorted(tmp_path: Path) -> None:
    _touch(tmp_path, "b/x", "a/x", "file")
    assert _names(tmp_path, list_folders(tmp_path)) == ["a", "b"]


def test_missing_folder(tmp_path: Path) -> None:
    for listing in (list_folders, list_images):
        with pytest.raises(DataError, match="nowhere cannot be read: No such file"):
            listing(tmp_path / "nowhere")
