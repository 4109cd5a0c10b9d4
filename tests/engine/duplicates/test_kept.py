from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftcore.engine.duplicates.kept import Found, find_once
from ftcore.engine.duplicates.near import Pair

FOUND = Found([Pair(3, 8, 0.98), Pair(1, 9, 1.0)], "by looking")


def search(results: list[Found]) -> Callable[[], Found]:
    """A search that can be made only so often."""
    return results.pop


def test_what_was_found_is_found_again_without_a_search(tmp_path: Path) -> None:
    assert find_once(tmp_path, ["a", 1], search([FOUND])) == FOUND
    assert find_once(tmp_path, ["a", 1], search([])) == FOUND
    other = Found([], "elsewhere")
    assert find_once(tmp_path, ["b", 1], search([other])) == other
    assert find_once(tmp_path, ["a", 1], search([])) == FOUND


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("0.98", "0.99"),
        lambda text: text.replace("by looking", "by guess"),
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: "",
    ],
)
def test_a_damaged_file_is_searched_for_again(tmp_path: Path, damage: Callable[[str], str]) -> None:
    find_once(tmp_path, 1, search([FOUND]))
    (path,) = tmp_path.iterdir()
    path.write_text(damage(path.read_text()))
    assert find_once(tmp_path, 1, search([FOUND])) == FOUND
    assert find_once(tmp_path, 1, search([])) == FOUND


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert find_once(None, 1, search([FOUND])) == FOUND
    assert find_once(tmp_path / "not" / "there", 1, search([FOUND])) == FOUND
    with pytest.raises(IndexError):
        find_once(tmp_path / "not" / "there", 1, search([]))
