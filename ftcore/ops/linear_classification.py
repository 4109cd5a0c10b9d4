"""The op that scores a linear classifier on features, without ever holding its logits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import linear

from ftcore.errors import DataError
from ftcore.ops import classification
from ftcore.ops.arguments import check_classes, check_device, check_float, check_weights, weights_of
from ftcore.ops.classification_layout import (
    ClassificationLayout,
    ClassificationState,
    check_rows,
)
from ftcore.ops.layout import check_state
from ftcore.ops.library import register

NAME = "linear_classification_statistics_"
_SCHEMA = (
    "(Tensor(a!) counts, Tensor(b!) sums, Tensor features, Tensor weight, Tensor? bias, "
    "Tensor targets, *, Tensor? weights=None, int? ignore_index=None, int bins=15, "
    "bool confusion=True, Tensor(c!)? row_labels=None, Tensor(d!)? row_values=None) -> ()"
)
_TILE = 2**18  # logits that the reference holds at a time


def linear_classification_statistics_(
    state: ClassificationState,
    features: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    *,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
    rows: tuple[Tensor, Tensor] | None = None,
) -> None:
    """Add a batch of features, scored by linear heads, to `state`, in place.

    The same as `classification_statistics_` of the logits features @ weight^T + bias, whose dtype
    is that of the features, but tile by tile: no more than 2 MiB of logits in float32 are held by
    each thread at a time, whatever the numbers of rows and classes are.

    Shapes: features (N, D), weight (*heads, C, D), bias (*heads, C) or None, targets (N,), shared
    by the heads. `heads` are the leading dimensions of the state's vectors, as a rule none.
    `weights` (N,) or (*heads, N) say how often each row counts: folds and bootstrap replicates of
    many heads are one call.
    `rows` takes what each row came to: (*heads, N, 3) and (*heads, N, 4).

    A native kernel reads more than 3,072 classes in parts (online softmax, Milakov & Gimelshein
    2018, arXiv:1805.02867). Matrix products round as the library does that computes them: two
    logits equal but for rounding may rank either way, and a confidence within rounding of a bin's
    edge may be in either bin. One thread computes each product, so that any number of threads gives
    the same bytes if the library rounds alike; MKL was seen to in float32 and narrower types, and
    not always in float64.
    Raises DataError where shapes, types or devices do not fit.
    """
    labels, values = rows if rows is not None else (None, None)
    call = _Call(
        state.counts,
        state.sums,
        features.detach(),
        weight.detach(),
        None if bias is None else bias.detach(),
        targets,
        weights,
        ignore_index,
        state.layout.bins,
        state.layout.confusion,
        labels,
        values,
    )
    try:
        torch.ops.ftcore.linear_classification_statistics_(
            call.counts,
            call.sums,
            call.features,
            call.weight,
            call.bias,
            call.targets,
            weights=call.weights,
            ignore_index=call.ignore_index,
            bins=call.bins,
            confusion=call.confusion,
            row_labels=call.row_labels,
            row_values=call.row_values,
        )
    except RuntimeError:
        call.check()  # a native kernel refuses what does not fit, briefly; the words are here
        raise


@dataclass(frozen=True)
class _Call:
    """The arguments of one call, as the schema names them."""

    counts: Tensor
    sums: Tensor
    features: Tensor
    weight: Tensor
    bias: Tensor | None
    targets: Tensor
    weights: Tensor | None = None
    ignore_index: int | None = None
    bins: int = 15
    confusion: bool = True
    row_labels: Tensor | None = None
    row_values: Tensor | None = None

    def check(self) -> None:
        """Raise DataError unless the arguments fit each other."""
        features, weight, heads = self.features, self.weight, self.counts.dim() - 1
        check_float("features", features)
        check_classes("targets", self.targets)
        if features.dim() != 2 or weight.dim() != heads + 2:
            raise DataError(
                f"features have shape {tuple(features.shape)} and weight {tuple(weight.shape)}; "
                f"they must be (N, D) and {'(*heads, C, D)' if heads else '(C, D)'}"
            )
        lead, classes = tuple(weight.shape[:heads]), weight.size(-2)
        if weight.size(-1) != features.size(1) or weight.dtype != features.dtype:
            raise DataError(
                f"features are {features.dtype} with {features.size(1)} columns, weight is "
                f"{weight.dtype} with {weight.size(-1)}: they must be the same"
            )
        if self.bias is not None and (
            tuple(self.bias.shape) != (*lead, classes) or self.bias.dtype != weight.dtype
        ):
            raise DataError(
                f"bias is {self.bias.dtype} of shape {tuple(self.bias.shape)}; this weight needs "
                f"{weight.dtype} of shape {(*lead, classes)}"
            )
        if classes < 1 or self.bins < 1:
            raise DataError(f"there are {classes} classes and {self.bins} bins: too few")
        if self.targets.shape != features.shape[:1]:
            raise DataError(
                f"targets have shape {tuple(self.targets.shape)}, but there are "
                f"{features.size(0)} rows of features"
            )
        layout = ClassificationLayout(classes, self.bins, self.confusion)
        check_state(layout, self.counts, self.sums, lead, features.device)
        check_rows(self.row_labels, self.row_values, (*lead, len(features)), features.device)
        for name, tensor in (("weight", weight), ("bias", self.bias), ("targets", self.targets)):
            if tensor is not None:
                check_device(name, tensor, features.device)
        check_weights(self.weights, lead, tuple(self.targets.shape), features.device)

    def add_(self) -> None:
        """Do what the op does, in plain torch, some rows at a time."""
        step = max(1, _TILE // self.weight.size(-2))
        for head in product(*map(range, self.counts.shape[:-1])):
            bias = None if self.bias is None else self.bias[head]
            weights = weights_of(self.weights, head, self.targets)
            for start in range(0, len(self.features), step):
                part = slice(start, start + step)
                classification.reference(
                    self.counts[head],
                    self.sums[head],
                    linear(self.features[part], self.weight[head], bias),
                    self.targets[part],
                    weights=weights[part],
                    ignore_index=self.ignore_index,
                    bins=self.bins,
                    confusion=self.confusion,
                    row_labels=_rows(self.row_labels, head, part),
                    row_values=_rows(self.row_values, head, part),
                )


def _rows(output: Tensor | None, head: tuple[int, ...], part: slice) -> Tensor | None:
    return None if output is None else output[head][part]


reference = register(NAME, _SCHEMA, _Call)
