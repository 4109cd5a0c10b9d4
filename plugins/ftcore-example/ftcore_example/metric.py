"""The metric `rank_mae`: how far off predictions are where classes have an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ftcore import Statistics


@dataclass(frozen=True)
class RankMeanAbsoluteError:
    """Mean absolute difference of the predicted and the true class index.

    With `average="macro"` the mean over the classes that have examples of each one's mean, so that
    rare classes count as much (Baccianella, Esuli, Sebastiani 2009, "Evaluation Measures for
    Ordinal Regression").
    """

    average: Literal["micro", "macro"] = "micro"

    needs = ("confusion",)  # rows are targets; the task `classification` has it, too
    higher_is_better = False

    @property
    def name(self) -> str:
        """The key under which a record shows it."""
        return "rank_mae" if self.average == "micro" else "rank_mae_macro"

    def compute(self, statistics: Statistics) -> Tensor:
        """Return the mean (*) from a confusion matrix (*, C, C); NaN where there is no example."""
        confusion = statistics.confusion.double()
        index = torch.arange(confusion.shape[-1], device=confusion.device)
        distance = (index.unsqueeze(0) - index.unsqueeze(1)).abs().double()  # (C, C)
        errors, examples = (confusion * distance).sum(-1), confusion.sum(-1)  # (*, C) by target
        if self.average == "micro":
            return errors.sum(-1) / examples.sum(-1)
        return (errors / examples).nanmean(-1)
