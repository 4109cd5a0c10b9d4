from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import torch

from ftcore.engine.features.segment import Segment
from ftcore.engine.features.shelf import DiskShelf
from ftcore.engine.features.store import FeatureStore, parse_size
from ftcore.engine.observer import Observer
from ftcore.errors import ConfigError, FtcoreError, StoppedError


class Notes(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stop = False

    def note(self, text: str) -> None:
        self.lines.append(text)

    def should_stop(self) -> bool:
        return self.stop


def segment(*numbers: int, width: int = 4) -> Segment:
    names = tuple(f"{number:064x}" for number in numbers)
    features = torch.tensor(numbers).float()[:, None].expand(-1, width).contiguous()
    return Segment(names, features, 1.0)


def shelf_of(
    store: FeatureStore, weights: str = "w", observer: Observer | None = None
) -> DiskShelf:
    return store.shelf({"weights": weights, "stages": ["a", "b"]}, observer or Notes())


def fill(shelf: DiskShelf, *segments: Segment) -> None:
    with shelf.locked():
        for each in segments:
            shelf.add(each)


def test_features_are_found_by_another_shelf_of_the_same_function_alone(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 10**6)
    fill(shelf_of(store), segment(1, 2), segment(3))
    found = shelf_of(store).find(["0" * 63 + "3"])
    assert [each.features.tolist() for each in found] == [[[3.0] * 4]]
    assert len(shelf_of(store).find(segment(1, 3).names)) == 2
    assert shelf_of(store, "other").find(segment(1).names) == []


def test_a_damaged_file_is_deleted_and_said_so(tmp_path: Path) -> None:
    store, notes = FeatureStore(tmp_path, 10**6), Notes()
    fill(shelf_of(store), segment(1), segment(2))
    path = sorted(tmp_path.glob("*/*.safetensors"))[0]
    path.write_bytes(path.read_bytes()[:-3] + b"abc")
    assert len(shelf_of(store, observer=notes).find(segment(1, 2).names)) == 1
    assert not path.exists()
    assert "damaged" in notes.lines[0]
    assert "computed again" in notes.lines[0]


def test_the_least_recently_used_makes_room(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 3000)
    for weights in ("first", "second"):
        fill(shelf_of(store, weights), segment(1, width=200))
        time.sleep(0.02)
    shelf_of(store, "first").find(segment(1).names)  # used again
    fill(shelf_of(store, "third"), segment(1, width=200))
    kept = [entry.about["weights"] for entry in store.entries()]
    assert kept == ["third", "first"]
    assert sum(entry.bytes for entry in store.entries()) <= 3000


def test_what_is_written_now_is_not_removed_to_make_room(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 1000)
    fill(shelf_of(store), segment(1, width=200), segment(2, width=200))
    assert len(shelf_of(store).find(segment(1, 2).names)) == 2


def test_a_full_disk_keeps_the_features_in_memory_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *arguments: object) -> None:
        raise FtcoreError(f"cannot write {path}: No space left on device. No half-written file …")

    notes = Notes()
    shelf = shelf_of(FeatureStore(tmp_path, 10**6), observer=notes)
    monkeypatch.setattr("ftcore.engine.features.segment.write_tensors", full)
    fill(shelf, segment(1), segment(2))
    assert len(shelf.find(segment(1, 2).names)) == 2
    assert not list(tmp_path.glob("*/*.safetensors"))
    assert len(notes.lines) == 1
    assert "No space left on device; the features are kept in memory instead" in notes.lines[0]


def test_a_folder_that_cannot_be_written_to_keeps_the_features_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    notes = Notes()
    shelf = shelf_of(FeatureStore(tmp_path / "file", 10**6), observer=notes)
    fill(shelf, segment(1))
    assert len(shelf.find(segment(1).names)) == 1
    assert "cannot" in notes.lines[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_second_run_waits_for_the_first_and_can_be_stopped(tmp_path: Path) -> None:
    store, notes = FeatureStore(tmp_path, 10**6), Notes()
    order: list[str] = []

    def second() -> None:
        with shelf_of(store, observer=notes).locked():
            order.append("second")

    with shelf_of(store).locked():
        thread = threading.Thread(target=second)
        thread.start()
        while not notes.lines:
            time.sleep(0.01)
        order.append("first")
        impatient = Notes()
        impatient.stop = True
        with (
            pytest.raises(StoppedError, match="another run"),
            shelf_of(store, observer=impatient).locked(),
        ):
            pass
        assert not store.remove(shelf_of(store).key)
    thread.join()
    assert order == ["first", "second"]
    assert store.remove(shelf_of(store).key)
    assert store.entries() == []


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("1234", 1234), ("500MB", 5 * 10**8), (" 1.5 gb", 15 * 10**8)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "much", "5XB", "infGB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="FTCORE_CACHE_LIMIT"):
        parse_size(text)


def test_the_environment_names_folder_and_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTCORE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("FTCORE_CACHE_LIMIT", "2MB")
    assert FeatureStore.from_environment() == FeatureStore(tmp_path / "features", 2 * 10**6)
