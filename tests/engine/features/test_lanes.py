from __future__ import annotations

import threading
import time

import pytest
import torch

from ftcore.engine.features.lanes import side_by_side


@pytest.mark.parametrize("lanes", [1, 3])
def test_results_come_in_order(lanes: int) -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.02 if number % 3 == 0 else 0.0)
        return number * number

    assert list(side_by_side(slow_first, range(20), lanes)) == [n * n for n in range(20)]


def test_items_are_taken_as_they_are_needed() -> None:
    taken: list[int] = []

    def items() -> range:
        return range(100)

    results = side_by_side(lambda n: n, (taken.append(n) or n for n in items()), 2)  # type: ignore[func-returns-value]
    next(results)
    assert len(taken) < 10
    results.close()  # type: ignore[attr-defined]


def test_each_lane_is_one_thread_and_the_caller_keeps_its_own() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = list(side_by_side(lambda _: torch.get_num_threads(), range(6), 2))
        assert seen == [1] * 6
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_first_error_ends_all() -> None:
    done: list[int] = []

    def fail(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        done.append(number)
        return number

    with pytest.raises(ValueError, match="three"):
        list(side_by_side(fail, range(1000), 2))
    assert len(done) < 20
    assert threading.active_count() < 20
