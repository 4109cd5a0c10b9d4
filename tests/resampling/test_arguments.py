"""Numbers that cannot be, and how many threads there are unless asked for."""

from __future__ import annotations

import pytest

from ftcore import DataError, FtcoreError, UsageError, resampling
from ftcore.resampling import arguments


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"units": 0}, DataError, "there are 0 units"),
        ({"units": 2**29}, DataError, "there are 536870912 units"),
        ({"replicates": 0}, UsageError, "0 replicates"),
        ({"seed": -1}, UsageError, "seed -1 must be between 0 and"),
        ({"seed": 2**64}, UsageError, "seed 18446744073709551616 must be"),
        ({"threads": 0}, UsageError, "threads is 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(
    options: dict[str, int], error: type[FtcoreError], words: str
) -> None:
    with pytest.raises(error, match=words):
        resampling.draws(**{"units": 5, "replicates": 1, "seed": 0, **options})


def test_groups_must_be_one_for_each_unit() -> None:
    with pytest.raises(DataError, match=r"groups has shape \(2,\), but one for each unit asks for"):
        resampling.bootstrap_mean([1, 2, 3], 5, 0, groups=[0, 1])


@pytest.mark.parametrize(("asked", "expected"), [("3", 3), ("", 5), ("many", 5), ("0", 5)])
def test_threads_are_those_that_every_library_is_asked_to_use(
    asked: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arguments, "_processors", lambda: 5)
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert arguments._available() == expected
