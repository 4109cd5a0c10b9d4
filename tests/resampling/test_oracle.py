"""The oracle against published numbers, and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.resampling import oracle

# (counter, key, words) of philox4x32 with 10 rounds in the kat_vectors of Random123 1.14.
KNOWN_ANSWERS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter: str, key: str, expected: str) -> None:
    assert oracle.philox4x32(words(counter), words(key)) == words(expected)


def test_draws_of_two_units_are_the_highest_bits() -> None:
    # 2^32 mod 2 is 0: nothing is thrown away. The first words of counter 0 and key 0 start with
    # 6, e, b and 9.
    assert [oracle.draw(2, 0, place, 0) for place in range(4)] == [0, 1, 1, 1]


def test_swaps_are_the_bits_of_words_lowest_first() -> None:
    word = oracle.philox4x32((0, 0, 0, 1), (0, 0))[0]
    assert oracle.swaps(3, 0, 0) == [bool(word & 1), bool(word & 2), bool(word & 4)]


def test_ranks_and_swaps_by_hand() -> None:
    assert oracle.ranks([0.5, 0.1, 0.5, 0.9]) == [2.5, 1.0, 2.5, 4.0]
    assert oracle.members(1, [7, 5, 7]) == [0, 2]
    pair = np.array([[1, 2], [3, 4]])
    swapped = oracle.permuted(pair, 0, 0)
    for unit, is_swapped in enumerate(oracle.swaps(2, 0, 0)):
        expected = pair[::-1, unit] if is_swapped else pair[:, unit]
        assert swapped[:, unit].tolist() == expected.tolist()
