from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional

from ftcore.content import digest_of
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.errors import ConfigError, DataError
from ftcore.interfaces import Backbone, DataBundle, Statistics
from ftcore.plugins import plugin_manager
from ftcore.testing import check_task

FIELDS = ("n", "correct", "loss")


@dataclass(frozen=True)
class Labels:
    """A part that is all targets."""

    targets: Tensor

    @property
    def ids(self) -> Sequence[str]:
        return [f"example-{index}" for index in range(len(self))]

    def __len__(self) -> int:
        return len(self.targets)

    def inputs(self, indices: Sequence[int]) -> Sequence[Tensor]:
        return [torch.zeros(3, 4, 4, dtype=torch.uint8) for _ in indices]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [digest_of(each) for each in self.inputs(indices)]


BUNDLE = DataBundle("d", "t", {"train": Labels(torch.arange(20) % 3)}, ("a", "b", "c"), (4, 4))


class Sound:
    """A small classification task that keeps its promises: fields and a row of losses."""

    name = "t"
    metrics: Any = ("accuracy", "top_k:k=2")

    def check(self, bundle: DataBundle) -> None:
        for split in bundle.splits.values():
            wrong = (split.targets < 0) | (split.targets >= len(bundle.classes))
            for index in wrong.nonzero().flatten().tolist():
                raise DataError(f"the target of {split.ids[index]} is no class")

    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        return nn.Linear(backbone.feature_dim, len(bundle.classes))

    def build_loss(self, bundle: DataBundle) -> Any:
        return functional.cross_entropy

    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        unknown = [need for need in needs if need not in FIELDS]
        if unknown:
            raise ConfigError(f"there is no {unknown[0]}")
        zero = torch.zeros((), dtype=torch.int64)
        fields = {"n": zero, "correct": zero.clone(), "loss": zero.double()}
        return Statistics(fields, {"losses": torch.zeros(0, dtype=torch.float64)})

    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        losses = functional.cross_entropy(outputs.double(), targets, reduction="none")
        statistics.fields["n"] += len(targets)
        statistics.fields["correct"] += (outputs.argmax(-1) == targets).sum()
        statistics.fields["loss"] += losses.sum()
        statistics.rows["losses"] = torch.cat([statistics.rows["losses"], losses])

    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        losses = statistics.rows["losses"]
        shares = np.full(len(losses), 1 / len(losses))
        weight = torch.from_numpy(generator.multinomial(len(losses), shares, size=count))
        fields = {name: torch.zeros(count, dtype=torch.float64) for name in needs}
        return Statistics(fields, {"losses": losses, "weight": weight})

    def units(self, statistics: Statistics) -> int:
        return int(statistics.n)

    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        return {name: {"support": 0.0} for name in bundle.classes}

    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        statistics = self.statistics(bundle, needs)
        self.update_(statistics, torch.zeros(len(targets), len(bundle.classes)), targets)
        return {"uniform": statistics}

    def decode(self, outputs: Tensor) -> Mapping[str, Tensor]:
        confidence, prediction = outputs.softmax(-1).max(-1)
        return {"prediction": prediction, "confidence": confidence}


class Nameless(Sound):
    name = ""


class NoMetrics(Sound):
    metrics = ()


class OneText(Sound):
    metrics = "accuracy"


class BadSpec(Sound):
    metrics = ("accuracy:",)


class RefusesAll(Sound):
    def check(self, bundle: DataBundle) -> None:
        raise DataError("I like nothing")


class TakesAll(Sound):
    def check(self, bundle: DataBundle) -> None: ...


class NamesNobody(Sound):
    def check(self, bundle: DataBundle) -> None:
        try:
            super().check(bundle)
        except DataError:
            raise DataError("a target is wrong") from None


class HeadOfFunction(Sound):
    def build_head(self, backbone: Backbone, bundle: DataBundle) -> Any:
        return lambda features: features


class HeadOfBatch(Sound):
    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        return nn.Flatten(0)


class LossOfEach(Sound):
    def build_loss(self, bundle: DataBundle) -> Any:
        return nn.CrossEntropyLoss(reduction="none")


class LossOfSum(Sound):
    def build_loss(self, bundle: DataBundle) -> Any:
        return nn.CrossEntropyLoss(reduction="sum")


class LossInfinite(Sound):
    def build_loss(self, bundle: DataBundle) -> Any:
        return lambda outputs, targets: outputs.sum() / 0


class LossConstant(Sound):
    def build_loss(self, bundle: DataBundle) -> Any:
        return lambda outputs, targets: nn.Parameter(torch.ones(())) * 1


class LossDetached(Sound):
    def build_loss(self, bundle: DataBundle) -> Any:
        return lambda outputs, targets: functional.cross_entropy(outputs.detach(), targets)


class DecodesNoConfidence(Sound):
    def decode(self, outputs: Tensor) -> Mapping[str, Tensor]:
        return {"prediction": outputs.argmax(-1)}


class DecodesScores(Sound):
    def decode(self, outputs: Tensor) -> Mapping[str, Tensor]:
        return {"prediction": outputs, "confidence": outputs}


class TakesAnyNeed(Sound):
    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        return super().statistics(bundle)


class NotEmpty(Sound):
    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        statistics = super().statistics(bundle, needs)
        statistics.fields["n"] += 1
        return statistics


class HalfPrecision(Sound):
    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        statistics = super().statistics(bundle, needs)
        statistics.fields["loss"] = statistics.loss.float()
        return statistics


class AveragesOverBatches(Sound):
    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        super().update_(statistics, outputs, targets)
        losses = functional.cross_entropy(outputs.double(), targets)
        statistics.fields["loss"] = (statistics.loss + losses) / 2


class Overwrites(Sound):
    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        for value in statistics.fields.values():
            value.zero_()
        super().update_(statistics, outputs, targets)


class KeepsLogits(Sound):
    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        super().update_(statistics, outputs, targets)
        statistics.fields["loss"] = outputs.double()


class SoftmaxInPlace(Sound):
    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        super().update_(statistics, outputs, targets)
        outputs.copy_(outputs.softmax(-1))


class CountsTwice(Sound):
    def units(self, statistics: Statistics) -> int:
        return 2 * int(statistics.n)


class ResamplesAnew(Sound):
    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        return super().resample(statistics, needs, count, np.random.default_rng())


class ResamplesLess(Sound):
    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        return super().resample(statistics, [], count, generator)


class ResamplesUnstacked(Sound):
    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        drawn = super().resample(statistics, needs, count, generator)
        return Statistics({name: value[:1] for name, value in drawn.fields.items()}, drawn.rows)


class ResamplesWithoutWeight(Sound):
    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        drawn = super().resample(statistics, needs, count, generator)
        del drawn.rows["weight"]
        return drawn


class DrawsHalf(Sound):
    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        drawn = super().resample(statistics, needs, count, generator)
        drawn.rows["weight"] = drawn.rows["weight"].clamp_max(1)
        drawn.rows["weight"][:, 0] = 0
        return drawn


class SomeClasses(Sound):
    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        return {"a": {"support": 1.0}}


class UnevenRows(Sound):
    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        return {name: {f"support of {name}": 1.0} for name in bundle.classes}


class TensorRows(Sound):
    def per_class(self, statistics: Statistics, bundle: DataBundle) -> Mapping[str, Any]:
        return {name: {"support": statistics.n} for name in bundle.classes}


class OtherBaseline(Sound):
    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        return {"odd": Statistics({"n": torch.tensor(len(targets))})}


class ShortBaseline(Sound):
    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        return super().baselines(bundle, targets[1:], needs)


def test_what_keeps_the_contract_passes() -> None:
    check_task(Sound(), BUNDLE, FIELDS)


@pytest.mark.parametrize("needs", [(), ("confusion", "nll"), ("scores", "target")])
def test_the_task_in_the_box_keeps_the_contract(needs: tuple[str, ...]) -> None:
    task = plugin_manager(load=()).create("tasks", "classification")
    check_task(task, dataclasses.replace(BUNDLE, task="classification"), needs)


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (object, "lacks a method"),
        (Nameless, "has no name"),
        (NoMetrics, "shows no metric"),
        (OneText, "metrics is one text"),
        (BadSpec, "The metric 'accuracy:' cannot be read"),
        (RefusesAll, "check() refuses the dataset 'd': I like nothing"),
        (TakesAll, "check() takes the target 3, though there are 3 classes"),
        (NamesNobody, "does not name 'example-19'"),
        (HeadOfFunction, "build_head() returns a function"),
        (HeadOfBatch, "The head returns shape (96,) for 12 examples"),
        (LossOfEach, "The loss has shape (12,); it is one number"),
        (LossOfSum, "it is the batch's mean"),
        (LossInfinite, "The loss of finite outputs is"),
        (LossConstant, "The loss has no gradient in the head"),
        (LossDetached, "The loss has no gradient."),
        (DecodesNoConfidence, "without 'confidence'"),
        (DecodesScores, "returns 'prediction' of shape (12, 3), not (12,)"),
        (TakesAnyNeed, "takes an unknown need; raise ftcore.ConfigError"),
        (NotEmpty, "Empty statistics hold 1 units"),
        (HalfPrecision, "The field 'loss' is torch.float32"),
        (AveragesOverBatches, "Adding the statistics of two halves gives 'loss'"),
        (Overwrites, "Two updates with one half each gives 'n' 6"),
        (KeepsLogits, "The field 'loss' grows with the number of examples"),
        (SoftmaxInPlace, "update_() changed the outputs or the targets"),
        (CountsTwice, "The statistics of 12 examples hold 24 units"),
        (ResamplesAnew, "The same generator gives other replicates"),
        (ResamplesLess, "resample() leaves out ['n', 'correct', 'loss']"),
        (ResamplesUnstacked, "4 replicates of 'n' have shape (1,), not (4,)"),
        (ResamplesWithoutWeight, "without rows['weight']"),
        (DrawsHalf, "Replicates of 12 units draw"),
        (SomeClasses, "per_class() has rows for ['a']"),
        (UnevenRows, "have different columns"),
        (TensorRows, "no plain numbers"),
        (OtherBaseline, "The baseline 'odd' has the fields ['n']"),
        (ShortBaseline, "The baseline 'uniform' has 11 units"),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(task: type[Any], sentence: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_task(task(), BUNDLE, FIELDS)
    assert sentence in str(caught.value)


def test_it_leaves_the_random_state_as_it_was() -> None:
    before = torch.random.get_rng_state()
    check_task(Sound(), BUNDLE)
    assert torch.equal(before, torch.random.get_rng_state())


class Miscounts(ClassificationTask):
    """Scores the heads in the wrong order."""

    def stacked_update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        super().stacked_update_(statistics, outputs.flip(0), targets)


def test_heads_scored_together_are_held_to_each_by_itself() -> None:
    check_task(ClassificationTask(), BUNDLE, ("n", "correct", "nll"))
    with pytest.raises(AssertionError, match="scored together"):
        check_task(Miscounts(), BUNDLE, ("n", "correct", "nll"))


class NeverSeen(ClassificationTask):
    """Gives classes that no neighbour has a probability of 0."""

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Tensor:
        votes = torch.zeros(len(targets), len(bundle.classes))
        return votes.scatter_add_(1, targets, weights).log()


class OfTheBatch(ClassificationTask):
    """Lets the other examples of a batch vote as well."""

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Tensor:
        outputs = super().outputs_of_neighbours(bundle, targets, weights)
        return outputs + outputs.mean(0)


class Contrary(ClassificationTask):
    """Takes the class that has the fewest votes."""

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Tensor:
        return -super().outputs_of_neighbours(bundle, targets, weights)


class OneForAll(ClassificationTask):
    """Returns the outputs of the first example alone."""

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Tensor:
        return super().outputs_of_neighbours(bundle, targets[:1], weights[:1])


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (NeverSeen, "outputs_of_neighbours() returns values that are not finite"),
        (OfTheBatch, "other outputs alone than among others"),
        (Contrary, "Where all neighbours have the targets"),
        (OneForAll, "returns shape (1, 3) for 12 examples"),
    ],
)
def test_votes_of_neighbours_are_held_to_their_contract(
    task: type[ClassificationTask], sentence: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        check_task(task(), BUNDLE, ("n",))
    assert sentence in str(caught.value)
