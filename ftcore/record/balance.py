"""How many examples each class has to learn from."""

from __future__ import annotations

from pydantic import Field

from ftcore.record.part import Part

FEW = 10  # examples


class BalanceRecord(Part):
    """How evenly the classes share the training part."""

    shares: dict[str, float] = Field(description="of the training examples, by class")
    ratio: float | None = Field(
        description="the largest class by the smallest one; None where a class has no example"
    )
    few: dict[str, int] = Field(
        description=f"classes with fewer than {FEW} training examples, and how many they have"
    )
