"""What a dataset asks for, and what some tasks can do besides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from ftcore.interfaces.backbone import Backbone, Inputs
from ftcore.interfaces.data import DataBundle
from ftcore.interfaces.metric import Statistics

if TYPE_CHECKING:
    from numpy.random import Generator
    from torch import Tensor, nn

Loss: TypeAlias = "Callable[[Inputs, Tensor], Tensor]"


@runtime_checkable
class Task(Protocol):
    """What a dataset asks for. Never prints, reads files, or knows the optimizer."""

    @property
    def name(self) -> str:
        """The registered name."""

    @property
    def metrics(self) -> Sequence[str]:
        """Specs of the metrics shown by default; the first one chooses the best epoch."""

    def check(self, bundle: DataBundle) -> None:
        """Raise DataError, naming the example, unless every target fits this task."""

    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        """Return new top layers that map features (N, D) to outputs."""

    def build_loss(self, bundle: DataBundle) -> Loss:
        """Return the training loss: outputs and targets of a batch to a scalar, their mean."""

    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        """Return empty statistics that hold what `needs` names; ConfigError for unknown names."""

    def update_(self, statistics: Statistics, outputs: Inputs, targets: Tensor) -> None:
        """Add one batch to the statistics, in place."""

    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        """Return `count` bootstrap replicates of what `needs` names, stacked: fields (count, ...).

        Units are drawn with replacement, as many as there are. A row that a metric needs whole
        comes back as it is, beside rows["weight"] (count, N): how often each unit was drawn.
        """

    def units(self, statistics: Statistics) -> int:
        """Return how many resampling units the statistics hold, such as images or documents."""

    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        """Return a row of numbers for each class name; empty where the task has no classes."""

    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        """Return by name what predictors that never see an input would score on `targets`.

        They know the targets of the training part alone. The statistics hold what `needs` names.
        """

    def decode(self, outputs: Inputs) -> Mapping[str, Tensor]:
        """Return what to tell the user of each example: "prediction" (N,), "confidence" (N,)."""


@runtime_checkable
class StackedTask(Task, Protocol):
    """A task that scores many heads on the same examples in one call."""

    def stacked_statistics(
        self, bundle: DataBundle, needs: Collection[str], heads: int
    ) -> Statistics | None:
        """Return empty fields (heads, ...) that hold what `needs` names, without rows.

        None where a need is a row; such heads are scored one after the other.
        """

    def stacked_update_(self, statistics: Statistics, outputs: Inputs, targets: Tensor) -> None:
        """Add the outputs, one tensor (heads, N, ...), of a batch to them, in place."""


@runtime_checkable
class CalibratedTask(Task, Protocol):
    """A task whose outputs, one tensor, give probabilities that one number can sharpen or soften.

    Dividing by that number, the temperature, changes no prediction (Guo et al. 2017).
    """

    @property
    def calibration(self) -> Sequence[str]:
        """Specs of the metrics of probabilities to show before and after, the first one first."""

    @property
    def temperature_bounds(self) -> tuple[float, float]:
        """The lowest and the highest temperature that `fit_temperature` returns."""

    def fit_temperature(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the temperature of the most likely targets (N, ...), given outputs (N, ...)."""

    def calibrated(self, outputs: Tensor, temperature: float) -> Tensor:
        """Return the outputs at that temperature."""


@runtime_checkable
class ComparableTask(Task, Protocol):
    """A task whose statistics keep a row for each unit, from which its fields can be made again.

    That is what paired comparisons, permutations, subsets and folds are made of.
    """

    @property
    def version(self) -> int:
        """Raised when the meaning of a row changes; rows of two versions are never compared."""

    def reweigh(
        self, statistics: Statistics, needs: Collection[str], weights: Tensor
    ) -> Statistics:
        """Return replicates in which unit i counts weights[r, i] times: fields (R, ...).

        `weights` are int64 (R, N), one for each row of the statistics, whose fields matter by
        their shapes alone. A row that a metric needs whole comes back as it is, beside
        rows["weight"] (R, N).
        """


@runtime_checkable
class NeighbourTask(Task, Protocol):
    """A task that can tell an example by the training examples most like it (k-NN)."""

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Inputs:
        """Return finite outputs of N examples, such as a head's, which `update_` takes.

        Each has k neighbours, the nearest first: their targets (N, k, ...), and float32 weights
        (N, k) in (0, 1], of which the nearest one's is 1.
        """
