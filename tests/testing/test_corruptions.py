from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from torch import Tensor

from ftcore import ImagePreprocess, UsageError
from ftcore.testing.corruptions import check_corruptions
from ftcore.testing.samples import Pixels


@dataclass(frozen=True)
class Dimming(Pixels):
    """Sound: darkens images, and says so."""

    severity: int = 0

    corruptions: Any = ("dim",)

    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        return super().__call__(raw, seeds) * (1 - self.severity / 10)

    def corrupted(self, name: str, severity: int) -> Dimming:
        if name not in self.corruptions or not 1 <= severity <= 5:
            raise UsageError(f"there is no {name} of severity {severity}")
        return replace(self, severity=severity)

    def describe(self) -> Mapping[str, Any]:
        return {"severity": self.severity}


class Careless(Dimming):
    def corrupted(self, name: str, severity: int) -> Dimming:
        return replace(self, severity=severity)


class Boundless(Dimming):
    def corrupted(self, name: str, severity: int) -> Dimming:
        return super().corrupted(name, min(severity, 5))


class Silent(Dimming):
    def describe(self) -> Mapping[str, Any]:
        return {}


class Idle(Dimming):
    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        return Pixels()(raw, seeds)


class Sociable(Dimming):
    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        return super().__call__(raw, seeds) * len(raw)


def test_sound_ones_pass() -> None:
    check_corruptions(ImagePreprocess(24))
    check_corruptions(Dimming())


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Dimming(corruptions=()), "corruptions is empty"),
        (Dimming(corruptions=("dim", "dim")), "the same name"),
        (Careless(), "takes an unknown corruption"),
        (Boundless(), "takes a severity that does not exist"),
        (Silent(), "does not tell corrupted inputs from others"),
        (Idle(), "changes nothing"),
        (Sociable(), "depends on its batch"),
    ],
)
def test_broken_promises_are_told(broken: Dimming, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_corruptions(broken)
