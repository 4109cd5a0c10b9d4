"""One pass of a frozen backbone over the training part: its features, and its own head's outputs.

Features come through the engine's feature cache, under the names under which a run with
`--freeze bottom` looks for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ftcore.engine.batches import cached
from ftcore.engine.evaluation import FEATURE_BATCH
from ftcore.engine.features.feeds import Feeder
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import Prepared, prepare
from ftcore.interfaces import Backbone, Inputs, Stage
from ftcore.studies.ranking.sample import PARTS

NO_HEAD = "the weights came without a head"


@dataclass(frozen=True)
class Extract:
    """What a backbone makes of N examples, in the order of the train and val parts.

    `outputs` are those of the head that the weights came with; None where there is none that gives
    one row of numbers an example, and `why_not` says why.
    """

    features: Tensor  # (N, D)
    targets: Tensor  # (N,)
    outputs: Tensor | None  # (N, Z)
    why_not: str
    prepared: Prepared
    found: int  # examples whose features were in the cache
    computed: int


def extract(parts: RunParts, observer: Observer) -> Extract:
    """Compute the features of the train and val parts, or find them in the cache.

    `parts` freezes the bottom and has no test part. Raises what `prepare` raises, and
    NumericalError for features that are not finite.
    """
    backbone = parts.backbone
    is_tapped = backbone.head is not None and bool(backbone.head_input)
    prepared = prepare(parts, observer)
    if is_tapped:
        return _extract_tapped(parts, prepared, observer)
    features, targets = _read(prepared.feeder)
    outputs = None
    if backbone.head is not None:
        outputs = _apply(backbone.head, features, prepared)
    return _finished(prepared, prepared.feeder, features, targets, outputs)


def _extract_tapped(parts: RunParts, prepared: Prepared, observer: Observer) -> Extract:
    """Where the head takes what a lower stage returns, one pass gives both, side by side."""
    tapped = prepare(replace(parts, backbone=_tap(parts.backbone)), observer)
    both, targets = _read(tapped.feeder)
    size = parts.backbone.feature_dim
    features, outputs = both[:, :size].contiguous(), both[:, size:]
    prepared.feeder.adopt(features, tapped.feeder)
    return _finished(prepared, tapped.feeder, features, targets, outputs)


class _Tap(nn.Module):
    """Two modules on the same input, their outputs side by side (N, D + Z)."""

    def __init__(self, upper: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.upper, self.head = upper, head

    def forward(self, inputs: Inputs) -> Tensor:
        """Return features and outputs."""
        return torch.cat([self.upper(inputs), self.head(inputs)], dim=1)


def _tap(backbone: Backbone) -> Backbone:
    assert backbone.head is not None
    below = backbone.head_stages
    upper = nn.Sequential(*(stage.module for stage in backbone.stages[len(below) :]))
    tap = Stage("features_and_outputs", _Tap(upper, backbone.head))
    return replace(backbone, stages=(*below, tap))


def _read(feeder: Feeder) -> tuple[Tensor, Tensor]:
    """The features of both parts in one tensor, and the targets."""
    sources = feeder.throughout().sources
    rows = [cached(sources[part]).first_view().flatten(1) for part in PARTS]
    return torch.cat(rows), torch.cat([sources[part].targets for part in PARTS])


def _apply(head: nn.Module, features: Tensor, prepared: Prepared) -> Tensor:
    machine = prepared.machine
    head = head.to(machine.device).eval()
    with torch.no_grad(), machine.autocast():
        outputs = [
            head(features[start : start + FEATURE_BATCH].to(machine.device)).cpu()
            for start in range(0, len(features), FEATURE_BATCH)
        ]
    return torch.cat(outputs)


def _finished(
    prepared: Prepared, feeder: Feeder, features: Tensor, targets: Tensor, outputs: Tensor | None
) -> Extract:
    tallies = feeder.tallies.values()
    found, computed = (
        sum(getattr(each, name) for each in tallies) for name in ("found", "computed")
    )
    why_not = NO_HEAD if outputs is None else ""
    if outputs is not None and (outputs.ndim != 2 or not bool(torch.isfinite(outputs).all())):
        outputs, why_not = None, "the head's outputs are not one row of finite numbers an example"
    return Extract(features, targets, outputs, why_not, prepared, found, computed)
