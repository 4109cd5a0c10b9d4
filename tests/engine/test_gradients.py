from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ftcore.engine import gradients as engine
from ftcore.engine.batches import RawSource, training_order
from ftcore.engine.device import Machine
from ftcore.engine.gradients import measure_gradients
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import Backbone, DataBundle, Gradients, Stage, Weights
from tests.engine.test_run import StopAfter, make_parts
from tests.tiny import Rows, ToFloat, make_backbone, make_bundle


def measure(parts: RunParts, observer: Observer | None = None) -> tuple[Gradients, nn.Sequential]:
    torch.manual_seed(3)
    model = assemble(parts.backbone, parts.task.build_head(parts.backbone, parts.bundle))
    source = RawSource(parts.bundle.splits["train"], parts.backbone.preprocess, parts.config.seed)
    machine = Machine.of(parts.config)
    return measure_gradients(parts, model, source, machine, observer or Observer()), model


def linear_backbone() -> Backbone:
    torch.manual_seed(1)
    stages = (Stage("flat", nn.Flatten()), Stage("map", nn.Linear(32, 5, bias=False)))
    return Backbone("linear", stages, 5, ToFloat(), Weights("random"))


def test_the_gradient_is_that_of_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a linear map below a linear head, with the softmax written out, over two batches."""
    monkeypatch.setattr(engine, "PROBE_STEPS", 0)
    parts = replace(make_parts(make_bundle(train=16), batch_size=4), backbone=linear_backbone())
    found, model = measure(parts)
    train = parts.bundle.splits["train"]
    weight, head, bias = (p.detach().double().numpy() for p in model.parameters())
    squares = []
    for indices in training_order(16, 4, 0, 0)[2:]:
        x = torch.stack(list(train.inputs(indices))).flatten(1).double().numpy()
        logits = x @ weight.T @ head.T + bias
        share = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        share[np.arange(4), train.targets[indices].numpy()] -= 1
        squares.append(((head.T @ share.T @ x / 4) ** 2).sum())
    assert found.norms == {"map.weight": pytest.approx(np.sqrt(np.mean(squares)), rel=1e-5)}
    assert found.parameter_norms == {"map.weight": pytest.approx(np.linalg.norm(weight), rel=1e-6)}
    assert found.examples == 8


def test_nothing_of_the_model_has_moved_and_it_comes_out_the_same_again() -> None:
    parts = make_parts(batch_size=8)
    before = {name: p.detach().clone() for name, p in parts.backbone.named_parameters().items()}
    found, model = measure(parts)
    again, other = measure(parts)
    assert found == again
    assert list(found.norms) == list(before)
    assert all(torch.equal(before[n], p) for n, p in parts.backbone.named_parameters().items())
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(
        model[-1].parameters(), other[-1].parameters(), strict=True
    ))  # fmt: skip
    assert all(p.grad is None for p in model.parameters())
    counts = [b for name, b in model.named_buffers() if name.endswith("num_batches_tracked")]
    assert all(int(count) == 0 for count in counts)  # BatchNorm stood still


def test_another_seed_looks_at_other_examples() -> None:
    assert measure(make_parts(batch_size=3))[0] != measure(make_parts(batch_size=3, seed=1))[0]


@dataclass(frozen=True)
class Watched(Rows):
    """Notes which examples are read."""

    read: Any = None

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        self.read.extend(indices)
        return super().inputs(indices)


def watched(bundle: DataBundle) -> tuple[DataBundle, dict[str, list[int]]]:
    read: dict[str, list[int]] = {part: [] for part in bundle.splits}
    splits = {}
    for part, split in bundle.splits.items():
        assert isinstance(split, Rows)
        splits[part] = Watched(split.values, split.targets, split.ids, read[part])
    return replace(bundle, splits=splits), read


def test_ten_batches_of_the_training_part_are_read_and_nothing_else() -> None:
    bundle, read = watched(make_bundle(train=45))
    found, _ = measure(make_parts(bundle, batch_size=3))
    assert read["val"] == read["test"] == []
    assert len(read["train"]) == len(set(read["train"])) == 30
    assert found.examples == 15


@pytest.mark.parametrize(("size", "examples"), [(45, 45), (23, 22), (15, 30)])
def test_a_small_training_part_is_halved(size: int, examples: int) -> None:
    assert measure(make_parts(batch_size=size))[0].examples == examples


class Cut(nn.Module):
    """Lets no gradient through."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.detach()


def test_what_the_loss_does_not_depend_on_has_no_gradient() -> None:
    tiny = make_backbone()
    stem, middle, top, pool = tiny.stages
    cut = replace(middle, module=nn.Sequential(Cut(), middle.module))
    parts = replace(make_parts(), backbone=replace(tiny, stages=(stem, cut, top, pool)))
    found, _ = measure(parts)
    assert all((norm == 0) == name.startswith("stem.") for name, norm in found.norms.items())


def test_a_gradient_that_is_not_finite_is_named() -> None:
    parts = make_parts()
    with torch.no_grad():
        parts.backbone.named_parameters()["middle.0.weight"][0, 0, 0, 0] = float("inf")
    with pytest.raises(NumericalError, match=r"'\w+\.\d\.\w+' is not finite before training"):
        measure(parts)


def test_it_can_be_stopped() -> None:
    with pytest.raises(StoppedError, match="gradients were measured"):
        measure(make_parts(), StopAfter(3))
