"""What a freeze plan does, stage by stage: for the dry run, the record and the report."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ftcore.engine.digests import combine
from ftcore.engine.freezing import Freezer, size_in_bytes
from ftcore.interfaces import FreezePlan
from ftcore.record import FreezeRecord, StageRecord


def summarize(model: nn.Module, plan: FreezePlan, cached_stages: int) -> tuple[StageRecord, ...]:
    """Return a row for each stage, bottom first, and one for the head."""
    rows = []
    for index, (stage, module) in enumerate(model.named_children()):
        sizes = {f"{stage}.{name}": p.numel() for name, p in module.named_parameters()}
        rates = {
            phase.rates[name] for phase in plan.phases for name in sizes if name in phase.rates
        }
        starts = [phase.first_epoch for phase in plan.phases if phase.rates.keys() & sizes.keys()]
        rows.append(
            StageRecord(
                name=stage,
                parameters=sum(sizes.values()),
                trained=sum(size for name, size in sizes.items() if name in plan.trained),
                rates=tuple(sorted(rates)),
                first_epoch=min(starts, default=None),
                cached=index < cached_stages,
                reason=plan.reasons.get(stage, ""),
            )
        )
    return tuple(rows)


def prove(
    freezer: Freezer, before: Mapping[str, str], after: Mapping[str, str], cached_stages: int
) -> FreezeRecord:
    """Return what was frozen, and its digests before and after training."""
    frozen = freezer.frozen_state()
    changed = {name: frozen[name] for name in frozen if before[name] != after[name]}
    sizes = {name: p.numel() for name, p in freezer.model.named_parameters()}
    trained = sum(size for name, size in sizes.items() if name in freezer.plan.trained)
    return FreezeRecord(
        parameters=sum(sizes.values()),
        trained=trained,
        frozen=sum(sizes.values()) - trained,
        frozen_bytes=size_in_bytes(frozen),
        changed_bytes=size_in_bytes(changed),
        sha256_before=combine(before),
        sha256_after=combine(after),
        phases=tuple(phase.first_epoch for phase in freezer.plan.phases),
        stages=summarize(freezer.model, freezer.plan, cached_stages),
    )
