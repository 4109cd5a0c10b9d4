"""The contract of a preprocessing that can corrupt its inputs."""

from __future__ import annotations

from typing import Any

from ftcore.errors import UsageError
from ftcore.interfaces import SEVERITIES, Corruptible
from ftcore.testing.refusals import assert_refused
from ftcore.testing.samples import raw_images
from ftcore.testing.values import is_same, mapped


def check_corruptions(preprocess: Corruptible) -> None:
    """Assert that what does not exist is refused, and that an example fares alike everywhere."""
    names = tuple(preprocess.corruptions)
    assert names, "corruptions is empty; leave the method corrupted() out where there are none."
    assert len(set(names)) == len(names), f"Two corruptions have the same name: {names}."
    assert_refused(
        lambda: preprocess.corrupted("no-such-corruption", 1),
        UsageError,
        "no-such-corruption",
        "corrupted() takes an unknown corruption",
    )
    assert_refused(
        lambda: preprocess.corrupted(names[0], SEVERITIES[-1] + 1),
        UsageError,
        str(SEVERITIES[-1] + 1),
        "corrupted() takes a severity that does not exist",
    )
    for severity in SEVERITIES:
        preprocess.corrupted(names[-1], severity)
    _check_batches(preprocess, names[0])


def _check_batches(preprocess: Corruptible, name: str) -> None:
    damaging = preprocess.corrupted(name, SEVERITIES[-1])
    assert dict(damaging.describe()) != dict(preprocess.describe()), (
        "describe() does not tell corrupted inputs from others, so that features of one would be "
        "taken for those of the other."
    )
    raw: Any = raw_images(3, 24, 32)
    seeds = (3, 1, 2) if damaging.is_random else ()
    whole = damaging(raw, seeds)
    alone = damaging(raw[1:2], seeds[1:2])
    assert is_same(mapped(whole, lambda tensor: tensor[1:2]), alone), (
        f"What {name!r} makes of an example depends on its batch."
    )
    assert not is_same(whole, preprocess(raw, ())), f"{name!r} changes nothing."
