"""That the emulator of the CUDA kernels finds what a GPU would not forgive."""

from __future__ import annotations

import pytest

from tests.native.emulator import Emulator


@pytest.mark.parametrize(
    ("which", "words"),
    [
        (0, "is stuck: 7 threads wait at a barrier"),
        (1, "31 threads wait in a shuffle"),
        (2, "8 threads wait at a barrier; 24 threads wait in a shuffle"),
        (3, r"outside of every tensor \(block 0, thread 0\)"),
        (4, "shared memory was written past its end"),
    ],
    ids=["barrier", "shuffle", "both", "read", "shared memory"],
)
def test_mistakes_are_found(which: int, words: str, emulator: Emulator) -> None:
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(emulator.mistake(which))
