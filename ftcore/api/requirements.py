"""Gates on a result: --require 'accuracy>=0.9', or 'accuracy.low>=0.9' for the interval's end."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ftcore.errors import ConfigError, RequirementError, UsageError
from ftcore.record import Record

_FORM = re.compile(r"\s*([\w.+-]+?)(?:\.(low|high))?\s*(>=|<=|>|<)\s*([-+\d.eE]+)\s*")


@dataclass(frozen=True)
class Requirement:
    """A metric, or one end of its interval, compared with a bound."""

    text: str
    metric: str
    end: str
    comparison: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Read 'accuracy>=0.9'; UsageError where it is no comparison."""
        match = _FORM.fullmatch(text)
        try:
            if match is not None:
                return cls(text, match[1], match[2] or "value", match[3], float(match[4]))
        except ValueError:
            pass
        raise UsageError(
            f"--require {text!r} is no comparison: write accuracy>=0.9 or accuracy.low>0.8"
        )

    def is_met(self, value: float | None) -> bool:
        """Whether the value satisfies the comparison; an undefined one does not."""
        if value is None:
            return False
        outcomes = {
            ">=": value >= self.bound,
            "<=": value <= self.bound,
            ">": value > self.bound,
            "<": value < self.bound,
        }
        return outcomes[self.comparison]


def parse_requirements(texts: Collection[str], metrics: Collection[str]) -> list[Requirement]:
    """Return the gates; ConfigError for one on a metric that the run will not compute."""
    requirements = [Requirement.parse(text) for text in texts]
    for requirement in requirements:
        if requirement.metric not in metrics:
            raise ConfigError(
                f"--require {requirement.text!r} names the metric {requirement.metric!r}, but the "
                f"run computes {', '.join(metrics)}; add --metric {requirement.metric}"
            )
    return requirements


def check_requirements(record: Record) -> None:
    """Raise RequirementError naming each gate of the run that its result does not meet."""
    failed = []
    for requirement in parse_requirements(record.config["require"], record.metrics):
        value = getattr(record.metrics[requirement.metric], requirement.end)
        if not requirement.is_met(value):
            shown = "undefined" if value is None else f"{value:.6g}"
            failed.append(f"{requirement.text} (it is {shown})")
    if failed:
        raise RequirementError("requirement not met: " + "; ".join(failed))
