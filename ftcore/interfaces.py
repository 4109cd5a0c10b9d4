"""The contracts between the parts: what a backbone, a dataset, a task and a metric are.

Plugins make these objects and the engine takes them. Nothing here imports torch at run time,
so that naming the contracts costs nothing.

Shapes: N examples of a batch, C classes, D features. "Inputs" is whatever flows between the
stages of a backbone: a tensor, or a tuple or dict of tensors whose first dimension is N.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor, nn

Inputs: TypeAlias = Any
Raw: TypeAlias = Any
Loss: TypeAlias = "Callable[[Inputs, Tensor], Tensor]"

SEVERITIES = (1, 2, 3, 4, 5)  # of every corruption


@runtime_checkable
class Preprocess(Protocol):
    """Turns raw examples, as a dataset hands them out, into one batch for a backbone."""

    @property
    def is_random(self) -> bool:
        """Whether `seeds` change the result; such outputs are never cached."""

    def __call__(self, raw: Sequence[Raw], seeds: Sequence[int] = ()) -> Inputs:
        """Make one batch; `seeds` holds one integer an example when `is_random`."""

    def augmented(self, spec: str) -> Preprocess:
        """Return a copy that augments its inputs as `spec` says; UsageError for unknown names."""

    def read(self, path: Path) -> Iterator[tuple[str, Raw]]:
        """Yield (id, raw example) from a file or folder; DataError names what cannot be read."""

    def describe(self) -> Mapping[str, Any]:
        """Return everything that decides the output, as JSON values, for records and cache keys."""


@runtime_checkable
class Corruptible(Preprocess, Protocol):
    """A preprocessing that can damage its inputs, to see how much of it a model bears."""

    @property
    def corruptions(self) -> Sequence[str]:
        """The names of the ways in which it can; each has the severities 1 to 5."""

    def corrupted(self, name: str, severity: int) -> Preprocess:
        """Return a copy that damages its inputs so; UsageError for what does not exist.

        What becomes of an example depends on the example and its seed alone.
        """


@dataclass(frozen=True)
class Weights:
    """Where a backbone's parameters come from."""

    name: str  # "imagenet", "random", or the file's name
    origin: str = ""  # URL or path; empty for random
    sha256: str = ""  # of the file; empty for random
    training_data: str = "none"
    licence: str = ""
    note: str = ""  # one line the user must see, such as what replaced the weights asked for

    @property
    def is_pretrained(self) -> bool:
        """Whether the parameters were learned from data."""
        return self.name != "random"


@dataclass(frozen=True)
class Stage:
    """One step of a backbone's forward pass; its module takes what the stage below returns."""

    name: str
    module: nn.Module


@dataclass(frozen=True)
class Backbone:
    """A pretrained model without its head: stages, bottom first, that end in features (N, D).

    Composing `head_stages`, then `head` where there is one, equals the original model's forward
    in eval mode bit for bit; `ftcore.testing.check_backbone` asserts it.
    No parameter belongs to two stages, and no stage is named "head".
    A model that cannot be cut is one stage.

    New heads always take the features, which the last stage returns. So does `head`, except where
    a model classifies before it pools, as SqueezeNet does: `head_input` then names the stage
    whose output `head` takes, and the stages above it serve new heads only.
    """

    name: str
    stages: tuple[Stage, ...]
    feature_dim: int
    preprocess: Preprocess
    weights: Weights
    head: nn.Module | None = None  # the head the weights came with: features (N, D) to (N, C)
    classes: tuple[str, ...] = ()  # what that head's outputs mean, where known
    head_input: str = ""  # the stage whose output `head` takes; empty for the last one

    @property
    def head_stages(self) -> tuple[Stage, ...]:
        """The stages that lead up to `head`: all of them, or those up to `head_input`."""
        names = [stage.name for stage in self.stages]
        return self.stages[: names.index(self.head_input) + 1] if self.head_input else self.stages

    def named_parameters(self) -> dict[str, nn.Parameter]:
        """Return every parameter under the name "<stage>.<parameter>", bottom first."""
        return {
            f"{stage.name}.{name}": parameter
            for stage in self.stages
            for name, parameter in stage.module.named_parameters()
        }


@runtime_checkable
class Split(Protocol):
    """One part of a dataset, such as its training part."""

    @property
    def ids(self) -> Sequence[str]:
        """A stable, unique id for each example, the same on every machine and in every run."""

    @property
    def targets(self) -> Tensor:
        """What is to be predicted, (N, ...); int64 class indices (N,) for classification."""

    def __len__(self) -> int: ...

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return the raw examples at `indices`; DataError names one that cannot be read.

        Images are uint8 tensors (channels, height, width), with 1 or 3 channels; examples of one
        size may come stacked as one tensor (N, channels, height, width).
        """

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return for each example a hash of all that decides what `inputs` returns for it.

        Features are kept under it, so a changed example must have another one; the same example
        should keep its own, wherever it stands. `ftcore.digest_of` makes one of a raw example;
        where reading is slow, something quicker will do, such as the hash of a file's bytes.
        DataError names an example that cannot be read.
        """


@runtime_checkable
class Likeness(Protocol):
    """Tells near copies of an example from other examples, for one kind of data, such as images.

    Each example is reduced to a small sketch. Sketches are compared at a glance, all with all, and
    what is alike at a glance is looked at a second time. What is the same byte by byte needs none
    of this: `digest_of` tells it.
    """

    @property
    def threshold(self) -> float:
        """The likeness that two versions of one example have at least."""

    @property
    def certain(self) -> float:
        """The likeness that two different examples never reach, however alike a dataset's are."""

    @property
    def ratio(self) -> float:
        """The most that a copy's distance, 1 less its likeness, is of that of the tenth neighbour.

        So a pair must stand out where all examples look alike; one that is certain need not.
        """

    def sketch(self, raw: Sequence[Raw]) -> Tensor:
        """Return a small sketch of each raw example (N, ...), which decides all the rest."""

    def glance(self, sketches: Tensor) -> Tensor:
        """Return float32 vectors (V, N, D) of length 1, whose products say what is alike.

        `V` is 1 for the examples as they are, and one more for each change that a copy may have
        gone through unnoticed, such as mirroring. A vector of zeros is like nothing.
        """

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        """Return the likeness (N,) of as many pairs at the second look; 1 is the same."""

    def describe(self) -> Mapping[str, Any]:
        """Return everything that decides the sketches, as JSON values, for cache keys."""


@dataclass(frozen=True)
class DataBundle:
    """A dataset, ready to use: its splits, its classes, and the task it asks for.

    `splits` holds "train", and "val" and "test" where the dataset defines them; ftcore
    cuts the missing ones from the training part.
    """

    name: str
    task: str  # the registered name of the task it asks for
    splits: Mapping[str, Split]
    classes: tuple[str, ...] = ()
    input_shape: tuple[int, ...] = ()  # of a typical raw example: (height, width) for images
    origin: str = ""  # URL, path or citation
    licence: str = ""
    notes: tuple[str, ...] = ()  # lines the user must see
    likeness: Likeness | None = None  # what finds near copies among the examples, where known


@dataclass(frozen=True)
class Phase:
    """From `first_epoch` on, the parameters in `rates` train, at that multiple of the rate."""

    first_epoch: int
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Adapter:
    """A low-rank change of one weight: weight + alpha / rank * up @ down (LoRA).

    The weight is seen as a matrix: its first dimension by all others. `down` (rank, columns)
    starts random and `up` (rows, rank) at zero, so that the change starts at zero. The weight
    itself stays as it is: frozen, unless the plan says that it trains as well.

    Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
    """

    weight: str  # the parameter it changes, such as "layer4.0.conv1.weight"; two dimensions or more
    rank: int
    alpha: float

    @property
    def name(self) -> str:
        """The name of the module that the engine adds for it, "<weight>_adapter"."""
        return f"{self.weight}_adapter"

    @property
    def parameters(self) -> tuple[str, str]:
        """The names of the parameters it adds, for the phases: "<name>.down", "<name>.up"."""
        return f"{self.name}.down", f"{self.name}.up"


@dataclass(frozen=True)
class FreezePlan:
    """Which parameters train, at which learning-rate scale, and from which epoch on.

    Parameters are named as in `Backbone.named_parameters`, those of the head "head.<parameter>",
    and those of an adapter as in `Adapter.parameters`: the engine adds the adapters to the model.
    The first phase starts at epoch 0. What a phase does not name is frozen in it.
    `reasons` say in a few words, by stage, why it is treated so, where there is more to say than
    the strategy's name does.
    """

    phases: tuple[Phase, ...]
    adapters: tuple[Adapter, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def phase_at(self, epoch: int) -> Phase:
        """Return the phase that `epoch` belongs to."""
        return [phase for phase in self.phases if phase.first_epoch <= epoch][-1]

    @property
    def trained(self) -> frozenset[str]:
        """The parameters that train in some phase; all others never move."""
        return frozenset(name for phase in self.phases for name in phase.rates)


@runtime_checkable
class FreezingStrategy(Protocol):
    """Decides which parameters train, how and when."""

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return the plan for this backbone and head; ConfigError where it cannot apply."""


@dataclass(frozen=True)
class Gradients:
    """How hard the loss pulls at each parameter of a backbone, before any of them has moved.

    `norms` holds the L2 norm of the gradient: the root of its mean square over batches, so that
    the norm for several parameters is the root of the sum of their squares, as it is for
    `parameter_norms`, the L2 norms of the parameters themselves. Both are by name, bottom first.
    """

    norms: Mapping[str, float]
    parameter_norms: Mapping[str, float]
    examples: int  # of the training part, that the gradients are of


@runtime_checkable
class GradientStrategy(FreezingStrategy, Protocol):
    """A strategy that decides by gradients on a sample of the training part.

    The engine measures them once, before training, and calls `plan_from` in place of `plan`; a run
    that is resumed keeps its plan. The sample is 5 batches of the training part, as the run trains
    on them; all modules are in eval mode; and the head has been trained on 5 other batches first,
    since what comes through random weights says little. Then it is as it was.
    """

    def plan_from(
        self, backbone: Backbone, head: nn.Module, epochs: int, gradients: Gradients
    ) -> FreezePlan:
        """Return the plan that the gradients suggest; ConfigError where it cannot apply."""


@dataclass
class Statistics:
    """Additive state from which metrics are computed: counts in int64, sums in float64.

    `fields` have a size that does not depend on the number of examples; `a + b` merges them.
    `rows` holds one small row a resampling unit, in the order of evaluation, when asked for.
    A field reads as an attribute: `statistics.confusion`.
    """

    fields: dict[str, Tensor]
    rows: dict[str, Tensor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Tensor:
        try:
            return self.__dict__["fields"][name]  # type: ignore[no-any-return]
        except KeyError:
            known = ", ".join(self.__dict__.get("fields", ())) or "none"
            message = f"these statistics have no field {name!r}; they have: {known}"
            raise AttributeError(message) from None

    def __add__(self, other: Statistics) -> Statistics:
        if self.fields.keys() != other.fields.keys() or self.rows.keys() != other.rows.keys():
            mine, theirs = sorted(self.fields | self.rows), sorted(other.fields | other.rows)
            raise ValueError(f"statistics with different fields cannot be added: {mine}, {theirs}")
        from torch import cat

        return Statistics(
            {name: value + other.fields[name] for name, value in self.fields.items()},
            {name: cat([value, other.rows[name]]) for name, value in self.rows.items()},
        )


@runtime_checkable
class Metric(Protocol):
    """A pure function from statistics to a number.

    `compute` maps fields with any leading dimensions (*, ...) to values (*): that is how a
    thousand bootstrap replicates are computed in one call. NaN means undefined.
    """

    @property
    def name(self) -> str:
        """The key under which a record shows it."""

    @property
    def needs(self) -> Collection[str]:
        """The fields of the statistics, or the rows, that `compute` reads."""

    @property
    def higher_is_better(self) -> bool:
        """Which way is up."""

    def compute(self, statistics: Statistics) -> Tensor | float:
        """Return the value, one for each leading index of the fields."""


@runtime_checkable
class Proportion(Metric, Protocol):
    """A metric that is a plain proportion, such as accuracy: so many successes in so many trials.

    Where the trials are the resampling units themselves the number of successes is binomial, and
    the interval is Wilson's, which stays honest at 0 and 1, where a bootstrap shrinks to a point.
    """

    def trials(self, statistics: Statistics) -> tuple[int, int]:
        """Return the successes and the trials."""


@runtime_checkable
class RowProportion(Proportion, Protocol):
    """A proportion whose trials are the rows of the statistics, so that two can be paired."""

    def successes(self, rows: Mapping[str, Tensor]) -> Tensor:
        """Return for each row whether it is a success, bool (N,); False for one not scored."""


@runtime_checkable
class ResampledMetric(Metric, Protocol):
    """A metric that makes its bootstrap replicates itself, faster than `compute` would.

    For metrics of rows, such as AUROC, which would need a weight for each unit of each replicate.
    """

    def bootstrap(self, statistics: Statistics, count: int, seed: int) -> NDArray[np.float64]:
        """Return the values (count,) of statistics whose units were drawn with replacement.

        They equal those of `compute` with rows["weight"] = `ftcore.resampling.draws(units, count,
        seed)`, where all units were scored: models that get the same seed are paired.
        """


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
