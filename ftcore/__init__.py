"""ftcore fine-tunes a pretrained model and says, with error bars, whether it worked.

This module is the table of contents: the public names, loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftcore import ops as ops
    from ftcore import resampling as resampling
    from ftcore import testing as testing
    from ftcore.api import compare, depth, evaluate, evaluate_logits, predict, rank, run, study
    from ftcore.content import digest_of
    from ftcore.download import fetch_weights, is_offline
    from ftcore.errors import (
        ConfigError,
        DataError,
        FtcoreError,
        NumericalError,
        PluginError,
        RequirementError,
        StoppedError,
        UsageError,
    )
    from ftcore.hookspecs import hookimpl
    from ftcore.images.decode import decode_image
    from ftcore.images.files import list_folders, list_images
    from ftcore.images.likeness import ImageLikeness
    from ftcore.images.preprocess import ImagePreprocess
    from ftcore.images.splits import ArraySplit, FileSplit
    from ftcore.interfaces import (
        Adapter,
        Backbone,
        CalibratedTask,
        ComparableTask,
        Corruptible,
        DataBundle,
        FreezePlan,
        FreezingStrategy,
        Gradients,
        GradientStrategy,
        Likeness,
        Metric,
        NeighbourTask,
        Phase,
        Preprocess,
        Proportion,
        ResampledMetric,
        RowProportion,
        Split,
        StackedTask,
        Stage,
        Statistics,
        Task,
        Weights,
    )
    from ftcore.record import ComparisonRecord, MetricValue, RankingRecord, Record, StudyRecord
    from ftcore.weights import load_state_dict, read_state_dict

__version__ = "0.1.0"

_HOME = {
    "Adapter": "interfaces",
    "ArraySplit": "images.splits",
    "Backbone": "interfaces",
    "CalibratedTask": "interfaces",
    "ComparableTask": "interfaces",
    "ComparisonRecord": "record",
    "ConfigError": "errors",
    "Corruptible": "interfaces",
    "DataBundle": "interfaces",
    "DataError": "errors",
    "FileSplit": "images.splits",
    "FreezePlan": "interfaces",
    "FreezingStrategy": "interfaces",
    "FtcoreError": "errors",
    "GradientStrategy": "interfaces",
    "Gradients": "interfaces",
    "ImageLikeness": "images.likeness",
    "ImagePreprocess": "images.preprocess",
    "Likeness": "interfaces",
    "Metric": "interfaces",
    "MetricValue": "record",
    "NeighbourTask": "interfaces",
    "NumericalError": "errors",
    "Phase": "interfaces",
    "PluginError": "errors",
    "Preprocess": "interfaces",
    "Proportion": "interfaces",
    "RankingRecord": "record",
    "Record": "record",
    "RequirementError": "errors",
    "RowProportion": "interfaces",
    "ResampledMetric": "interfaces",
    "Split": "interfaces",
    "StackedTask": "interfaces",
    "Stage": "interfaces",
    "Statistics": "interfaces",
    "StoppedError": "errors",
    "StudyRecord": "record",
    "Task": "interfaces",
    "UsageError": "errors",
    "Weights": "interfaces",
    "compare": "api",
    "decode_image": "images.decode",
    "depth": "api",
    "digest_of": "content",
    "evaluate": "api",
    "evaluate_logits": "api",
    "fetch_weights": "download",
    "hookimpl": "hookspecs",
    "is_offline": "download",
    "list_folders": "images.files",
    "list_images": "images.files",
    "load_state_dict": "weights",
    "predict": "api",
    "rank": "api",
    "read_state_dict": "weights",
    "run": "api",
    "study": "api",
}
_MODULES = ("ops", "resampling", "testing")

__all__ = [
    "Adapter",
    "ArraySplit",
    "Backbone",
    "CalibratedTask",
    "ComparableTask",
    "ComparisonRecord",
    "ConfigError",
    "Corruptible",
    "DataBundle",
    "DataError",
    "FileSplit",
    "FreezePlan",
    "FreezingStrategy",
    "FtcoreError",
    "GradientStrategy",
    "Gradients",
    "ImageLikeness",
    "ImagePreprocess",
    "Likeness",
    "Metric",
    "MetricValue",
    "NeighbourTask",
    "NumericalError",
    "Phase",
    "PluginError",
    "Preprocess",
    "Proportion",
    "RankingRecord",
    "Record",
    "RequirementError",
    "ResampledMetric",
    "RowProportion",
    "Split",
    "StackedTask",
    "Stage",
    "Statistics",
    "StoppedError",
    "StudyRecord",
    "Task",
    "UsageError",
    "Weights",
    "__version__",
    "compare",
    "decode_image",
    "depth",
    "digest_of",
    "evaluate",
    "evaluate_logits",
    "fetch_weights",
    "hookimpl",
    "is_offline",
    "list_folders",
    "list_images",
    "load_state_dict",
    "ops",
    "predict",
    "rank",
    "read_state_dict",
    "resampling",
    "run",
    "study",
    "testing",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"ftcore.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'ftcore' has no attribute {name!r}")
    return getattr(import_module(f"ftcore.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
