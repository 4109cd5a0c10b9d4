from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from ftcore import digest_of

DIFFERENT: list[Any] = [
    torch.zeros(2, 3),
    torch.zeros(3, 2),
    torch.zeros(6),
    torch.zeros(2, 3, dtype=torch.float64),
    torch.zeros(2, 3, dtype=torch.bfloat16),
    torch.tensor([[0.0, 0, 0], [0, 0, -0.0]]),
    torch.tensor(0.0),
    torch.zeros(0),
    torch.zeros(0, 2),
    np.zeros((2, 3), np.float32),
    "text",
    "text ",
    b"text",
    "",
    "1",
    1,
    1.0,
    True,
    None,
    [],
    ["ab", "c"],
    ["a", "bc"],
    ["abc"],
    [["a"], "bc"],
    {"a": 1, "b": 2},
    {"a": 2, "b": 1},
    {"a": 1},
    [torch.zeros(3), torch.zeros(3)],
]


def test_different_examples_have_different_digests() -> None:
    for one, other in combinations(DIFFERENT, 2):
        assert digest_of(one) != digest_of(other), (one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (torch.arange(6).view(2, 3).t(), torch.arange(6).view(2, 3).t().contiguous()),
        (torch.ones(4)[::2], torch.ones(2)),
        (torch.ones(2, requires_grad=True), torch.ones(2)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ((1, "a"), [1, "a"]),
        (bytearray(b"x"), b"x"),
        (np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T.copy()),
    ],
    ids=str,
)
def test_how_content_lies_in_memory_does_not_count(one: Any, other: Any) -> None:
    assert digest_of(one) == digest_of(other)


def test_it_is_the_same_in_every_process() -> None:
    # SHA-256 of b"str 3 " + json.dumps("a"), worked out by hand.
    expected = "193926473b952d5b9955f0fe47603d7d7c65274aacabe6f98cf1815e56b30c21"
    assert digest_of("a") == expected


def test_what_has_no_content_to_tell_is_refused() -> None:
    with pytest.raises(TypeError, match="holds an object of type 'object'"):
        digest_of([object()])
