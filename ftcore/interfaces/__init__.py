"""The contracts between the parts: what a backbone, a dataset, a task and a metric are.

Plugins make these objects and the engine takes them. Nothing here imports torch at run time,
so that naming the contracts costs nothing.

Shapes: N examples of a batch, C classes, D features. "Inputs" is whatever flows between the
stages of a backbone: a tensor, or a tuple or dict of tensors whose first dimension is N.
"""

from __future__ import annotations

from ftcore.interfaces.backbone import (
    SEVERITIES,
    Backbone,
    Corruptible,
    Inputs,
    Preprocess,
    Raw,
    Stage,
    Weights,
)
from ftcore.interfaces.data import (
    DataBundle,
    Likeness,
    Split,
)
from ftcore.interfaces.freezing import (
    Adapter,
    FreezePlan,
    FreezingStrategy,
    Gradients,
    GradientStrategy,
    Phase,
)
from ftcore.interfaces.metric import (
    Metric,
    Proportion,
    ResampledMetric,
    RowProportion,
    Statistics,
)
from ftcore.interfaces.task import (
    CalibratedTask,
    ComparableTask,
    Loss,
    NeighbourTask,
    StackedTask,
    Task,
)

__all__ = [
    "SEVERITIES",
    "Adapter",
    "Backbone",
    "CalibratedTask",
    "ComparableTask",
    "Corruptible",
    "DataBundle",
    "FreezePlan",
    "FreezingStrategy",
    "GradientStrategy",
    "Gradients",
    "Inputs",
    "Likeness",
    "Loss",
    "Metric",
    "NeighbourTask",
    "Phase",
    "Preprocess",
    "Proportion",
    "Raw",
    "ResampledMetric",
    "RowProportion",
    "Split",
    "StackedTask",
    "Stage",
    "Statistics",
    "Task",
    "Weights",
]
