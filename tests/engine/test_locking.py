from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import pytest

from ftcore.engine.locking import holding

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")


class TakenError(Exception):
    """The lock is another's."""


def refuse(waited: float) -> None:
    raise TakenError(waited)


def hold_until_killed(path: Path, has_it: Any) -> None:
    with holding(path, refuse):
        has_it.set()
        time.sleep(600)


def test_a_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    has_it = context.Event()
    process = context.Process(target=hold_until_killed, args=(tmp_path / "lock", has_it))
    process.start()
    assert has_it.wait(30)
    with pytest.raises(TakenError), holding(tmp_path / "lock", refuse):
        pass
    process.kill()
    process.join()
    with holding(tmp_path / "lock", refuse):
        pass


def test_the_waiting_time_is_told(tmp_path: Path) -> None:
    waited: list[float] = []

    def give_up(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            raise TakenError
        time.sleep(0.02)

    with (
        holding(tmp_path / "lock", refuse),
        pytest.raises(TakenError),
        holding(tmp_path / "lock", give_up),
    ):
        pass
    assert waited[0] == 0.0
    assert 0.01 < waited[1] < waited[2]
