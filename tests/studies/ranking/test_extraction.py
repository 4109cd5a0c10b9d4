from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.errors import DataError
from ftcore.interfaces import Backbone, Split
from ftcore.studies.ranking.extraction import NO_HEAD, extract
from ftcore.studies.ranking.sample import training_part
from tests.engine.test_run import make_parts
from tests.tiny import Rows, make_backbone, make_bundle


def with_head(where: str) -> Backbone:
    """The tiny backbone with a head of five outputs: on the features, or below the last stage."""
    backbone = make_backbone()
    if where == "below":
        return replace(
            backbone,
            head=nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(8 * 4 * 4, 5)),
            head_input="top",
        )
    return replace(backbone, head=nn.Linear(8, 5) if where == "on top" else None)


def parts_for(backbone: Backbone, folder: Path, **options: Any) -> RunParts:
    parts = make_parts(freeze="bottom", out=folder, cache="disk", prefix="plain", **options)
    return replace(parts, backbone=backbone, bundle=training_part(parts.bundle, 1000, 0))


def composed(backbone: Backbone, split: Split, head: nn.Module | None) -> tuple[Tensor, Tensor]:
    """What stages and head make of a split, called one after the other."""
    features = outputs = torch.stack(list(split.inputs(range(len(split)))))
    with torch.no_grad():
        for stage in backbone.stages:
            features = stage.module.eval()(features)
        for stage in backbone.head_stages:
            outputs = stage.module.eval()(outputs)
        return features, outputs if head is None else head.eval()(outputs)


@pytest.mark.parametrize("where", ["on top", "below", "nowhere"])
def test_a_pass_gives_features_and_the_outputs_of_the_head(tmp_path: Path, where: str) -> None:
    backbone = with_head(where)
    parts = parts_for(backbone, tmp_path)
    extracted = extract(parts, Observer())
    both = [composed(backbone, split, backbone.head) for split in parts.bundle.splits.values()]
    torch.testing.assert_close(extracted.features, torch.cat([each[0] for each in both]))
    if where == "nowhere":
        assert extracted.outputs is None
        assert extracted.why_not == NO_HEAD
    else:
        assert extracted.outputs is not None
        torch.testing.assert_close(extracted.outputs, torch.cat([each[1] for each in both]))
    assert (extracted.found, extracted.computed) == (0, 60)
    targets = [split.targets for split in parts.bundle.splits.values()]
    assert torch.equal(extracted.targets, torch.cat(targets))


@pytest.mark.parametrize("where", ["on top", "below", "nowhere"])
def test_a_run_with_a_frozen_bottom_finds_the_features(tmp_path: Path, where: str) -> None:
    extract(parts_for(with_head(where), tmp_path), Observer())
    again = extract(parts_for(with_head(where), tmp_path), Observer())
    assert (again.found, again.computed) == (60, 0)
    parts = make_parts(freeze="bottom", out=tmp_path, cache="disk", prefix="plain")
    feeder = prepare(replace(parts, backbone=with_head(where)), Observer()).feeder
    feeder.throughout()
    (tally,) = feeder.tallies.values()
    assert (tally.found, tally.computed) == (60, 30)  # the test part is new


@dataclass(frozen=True)
class Untouchable(Rows):
    """A split that must not be looked into."""

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        raise DataError("somebody looked at the test part")

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        raise DataError("somebody looked at the test part")


def test_the_test_part_is_never_looked_at(tmp_path: Path) -> None:
    bundle = make_bundle()
    test = bundle.splits["test"]
    assert isinstance(test, Rows)
    hidden = Untouchable(test.values, test.targets, test.ids)
    bundle = replace(bundle, splits={**bundle.splits, "test": hidden})
    parts = replace(parts_for(with_head("on top"), tmp_path), bundle=training_part(bundle, 1000, 0))
    assert len(extract(parts, Observer()).features) == 60


def test_outputs_that_are_no_row_of_numbers_are_left_out(tmp_path: Path) -> None:
    backbone = replace(make_backbone(), head=nn.Unflatten(1, (2, 4)))
    extracted = extract(parts_for(backbone, tmp_path), Observer())
    assert extracted.outputs is None
    assert "one row of finite numbers" in extracted.why_not
