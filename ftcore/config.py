"""What a run is asked to do: validated, saved whole, re-runnable.

Each field is an option of `ftcore run` of the same name; its description is the option's help.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ftcore.errors import ConfigError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


def _number_or_auto(least: float, words: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value is None or value == "auto":
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (least <= number < math.inf):
            raise ValueError(f"it is a number {words}, or auto")
        return number

    return BeforeValidator(check)


LearningRate = Annotated[float | Literal["auto"], _number_or_auto(sys.float_info.min, "above 0")]
WeightDecay = Annotated[float | Literal["auto"], _number_or_auto(0.0, "of 0 or above")]

BASELINES = ("majority", "knn", "probe", "scratch")


def _check_baselines(value: str) -> str:
    import difflib

    names = [name.strip() for name in value.split(",")]
    if len(names) == 1 and names[0] in ("auto", "none"):
        return names[0]
    for name in names:
        if name not in BASELINES:
            near = difflib.get_close_matches(name, BASELINES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(BASELINES)}"
            raise ValueError(f"unknown baseline {name!r}; {hint} (or auto, or none, by itself)")
    return ",".join(name for name in BASELINES if name in names)


Baselines = Annotated[str, AfterValidator(_check_baselines)]


class Config(BaseModel):
    """Options that are validated together; an unknown one is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def parse(cls, values: dict[str, Any], source: str = "the configuration") -> Self:
        """Validate `values`; ConfigError names each wrong key, its value and `source`."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(f"{source}: {_sentences(error, list(cls.model_fields))}") from None


class RunConfig(Config):
    """Every choice of a run, with its default."""

    backbone: str = Field("resnet18", description="Pretrained model (ftcore list backbones).")
    weights: str = Field(
        "auto",
        description="auto, imagenet, none (random), or a .safetensors or .pth file.",
    )
    freeze: str = Field("bottom", description="Freezing strategy (ftcore list freezing).")
    dataset: str = Field("digits", description="Dataset (ftcore list datasets).")
    task: str | None = Field(None, description="Task; by default the one the dataset asks for.")
    metric: tuple[str, ...] = Field(
        (), description="Metric; may be repeated, the first one chooses the best epoch."
    )
    epochs: Count = Field(10, description="Passes over the training part.")
    batch_size: Count = Field(32, description="Examples in a training step.")
    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="Optimizer.")
    lr: LearningRate | None = Field(
        None,
        description="Peak learning rate; by default 0.01 for a head alone, 0.001 where it starts "
        "alone or with adapters only, or nothing is pretrained, else 0.0001; auto tries several on "
        "the kept features and takes the best on the validation part.",
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Momentum of SGD.")
    weight_decay: WeightDecay = Field(
        0.01, description="Weight decay; auto chooses as --lr auto does."
    )
    schedule: str = Field(
        "cosine:warmup=0.05",
        description="constant, cosine or step, as in step:every=7,gamma=0.1; warmup is a fraction.",
    )
    clip_norm: Positive | None = Field(None, description="Largest norm of the gradient.")
    accumulate: Count = Field(1, description="Batches whose gradients make one step.")
    patience: Count | None = Field(
        None, description="Stop after so many epochs without a better validation score."
    )
    image_size: Count | None = Field(
        None,
        description="Input height and width in pixels; by default that of the data, but at least "
        "96 and at most what the weights were trained at.",
    )
    augment: str = Field("none", description="Augmentations of the training part, as in crop+flip.")
    views: Annotated[int, Field(ge=0)] = Field(
        0,
        description="Augment each training example in so many ways only, which come again, so that "
        "what the frozen bottom makes of them can be kept; 0 augments anew in each epoch.",
    )
    precision: Literal["fp32", "bf16", "fp16"] = Field("fp32", description="Arithmetic.")
    layout: Literal["contiguous", "channels_last"] = Field(
        "contiguous", description="Memory layout of images."
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, …")
    workers: Annotated[int, Field(ge=0)] = Field(0, description="Processes that load batches.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(0, description="Seed of everything random.")
    repeats: Annotated[int, Field(ge=0)] | None = Field(
        None,
        description="Train so many more heads, with the seeds that follow, to tell how much of the "
        "result is chance; by default 4 where a head alone trains on kept features, else 0.",
    )
    split_seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        0, description="Seed of the split, where the dataset has none; apart from --seed."
    )
    fold: str | None = Field(
        None,
        description="Cross-validate: test on one fold of the training examples and train on the "
        "others, as in 2/5, the second of five.",
    )
    group: str | None = Field(
        None,
        description="Keep examples of a group in one part: a regular expression that finds the "
        "group in an example's id, or a .csv file with the columns id and group.",
    )
    limit: Count | None = Field(
        None, description="Use at most so many training examples, of each class the same share."
    )
    shots: Count | None = Field(
        None,
        description="Train on so many examples of each class, drawn by --seed; at most as many "
        "choose the epoch.",
    )
    cache: Literal["auto", "off", "memory", "disk"] = Field(
        "auto",
        description="Compute the frozen bottom once and keep its outputs: on disk for later runs, "
        "in memory, or not at all; auto chooses by size and time.",
    )
    prefix: Literal["auto", "plain", "folded", "compiled"] = Field(
        "auto",
        description="How the frozen bottom is computed once: plain, with BatchNorm folded into "
        "convolutions, or compiled as well.",
    )
    baselines: Baselines = Field(
        "auto",
        description="What the run is held against on the same test examples: majority, which sees "
        "no input; knn and probe, nearest neighbours and a head on the pretrained features; "
        "scratch, all trained from random weights. auto is all of them, but scratch only where it "
        "takes at most a quarter of the run's work; or none, or some, as in knn,scratch.",
    )
    save: Literal["model", "nothing"] = Field(
        "model", description="Whether the trained model is written, which ftcore predict needs."
    )
    out: Path = Field(Path("runs"), description="Folder in which the run's folder is made.")
    require: tuple[str, ...] = Field(
        (), description="Gate such as 'accuracy>=0.9'; exit 5 where it is not met; repeatable."
    )

    @classmethod
    def load(cls, path: Path) -> RunConfig:
        """Read a YAML file; ConfigError for a key that is unknown, given twice, or wrong."""
        return cls.parse(read_yaml(path), str(path))

    @property
    def baseline_names(self) -> tuple[str, ...]:
        """The baselines that may be made."""
        if self.baselines == "none":
            return ()
        return BASELINES if self.baselines == "auto" else tuple(self.baselines.split(","))

    @property
    def slug(self) -> str:
        """What a folder of such runs is called after: dataset, backbone and freezing strategy."""
        names = (self.dataset, self.backbone, self.freeze)
        return "-".join(name.partition(":")[0] for name in names)

    def to_yaml(self) -> str:
        """Return every field as YAML, in order."""
        values = self.model_dump(mode="json")
        return yaml.safe_dump(values, sort_keys=False, allow_unicode=True)


class LogitsConfig(Config):
    """Every choice of an evaluation of stored logits, options of `ftcore evaluate`."""

    logits: Path = Field(
        description="Score stored logits (rows, classes), a .npy or .safetensors file that is read "
        "block by block."
    )
    targets: Path | None = Field(
        None,
        description="The class indices (rows,) that belong to --logits; by default the tensor "
        "'targets' of its .safetensors file.",
    )
    classes: Path | None = Field(
        None, description="Names of the classes of --logits, one a line; by default 0, 1, …"
    )
    ignore_index: int | None = Field(
        None, description="Target of the rows of --logits that are left out, such as -100."
    )
    metric: tuple[str, ...] = Field((), description="Metric; may be repeated.")
    require: tuple[str, ...] = Field((), description="Gate such as 'accuracy>=0.9'; repeatable.")


def _sentences(error: ValidationError, known: list[str]) -> str:
    import difflib

    parts = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"] if isinstance(part, str)) or "it"
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            parts.append(f"unknown key {key!r}{hint}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
            parts.append(f"{key!r} is {item['input']!r}: {message}")
    return "; ".join(parts)


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            line = node.start_mark.line + 1
            raise ConfigError(
                f"{node.start_mark.name}: key {key!r} is given twice (from line {line})"
            )
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping; ConfigError names the file and the line."""
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, Loader=_StrictLoader)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{path} must hold keys and values, as in 'epochs: 10'")
    return values
