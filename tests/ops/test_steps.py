"""An evaluation step, a model and an op, as one graph: compiled, exported, and repeated."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ftcore import ops

pytestmark = pytest.mark.usefixtures("kernel")

FEATURES, COLUMNS = 6, 40
LAYOUTS: dict[str, Any] = {
    "classification": ops.ClassificationLayout(COLUMNS),
    "linear_classification": ops.ClassificationLayout(COLUMNS),
    "multilabel": ops.MultilabelLayout(COLUMNS),
    "regression": ops.RegressionLayout(COLUMNS),
}


class Step(nn.Module):
    """A linear model whose outputs go into statistics that it holds as buffers."""

    counts: Tensor
    sums: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        self.op = getattr(torch.ops.ftcore, f"{name}_statistics_").default
        self.is_fused = name.startswith("linear")
        self.model = nn.Linear(FEATURES, COLUMNS).requires_grad_(False)
        state = LAYOUTS[name].empty()
        self.register_buffer("counts", state.counts)
        self.register_buffer("sums", state.sums)

    def forward(self, features: Tensor, targets: Tensor) -> Tensor:
        outputs = self.model(features)
        if self.is_fused:
            given = (features, self.model.weight, self.model.bias)
            self.op(self.counts, self.sums, *given, targets)
        else:
            self.op(self.counts, self.sums, outputs, targets)
        return outputs.amax(-1)  # type: ignore[no-any-return]


def batch(name: str, seed: int = 0, rows: int = 50) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, FEATURES, generator=generator)
    if name == "regression":
        return features, torch.randn(rows, COLUMNS, generator=generator)
    shape = (rows, COLUMNS) if name == "multilabel" else (rows,)
    classes = 2 if name == "multilabel" else COLUMNS
    return features, torch.randint(classes, shape, generator=generator)


def assert_adds_the_same(step: Any, holder: nn.Module, plain: Step, name: str) -> None:
    for seed in (0, 1):
        torch.testing.assert_close(step(*batch(name, seed)), plain(*batch(name, seed)))
    buffers, expected = dict(holder.named_buffers()), dict(plain.named_buffers())
    assert torch.equal(buffers["counts"], expected["counts"])
    torch.testing.assert_close(buffers["sums"], expected["sums"], rtol=1e-6, atol=1e-9)
    assert bool(expected["counts"].any())


def pair(name: str) -> tuple[Step, Step]:
    torch.manual_seed(0)
    one, other = Step(name), Step(name)
    other.model.load_state_dict(one.model.state_dict())
    return one, other


@pytest.mark.parametrize("name", LAYOUTS)
def test_compiles_into_one_graph(name: str) -> None:
    step, plain = pair(name)
    compiled = torch.compile(step, fullgraph=True, backend="aot_eager")
    assert_adds_the_same(compiled, step, plain, name)


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs g++")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch 2.11 warns of itself
@pytest.mark.parametrize("name", LAYOUTS)
def test_compiles_with_inductor(name: str) -> None:
    step, plain = pair(name)
    compiled = torch.compile(step, fullgraph=True)
    assert_adds_the_same(compiled, step, plain, name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_exports(name: str) -> None:
    step, plain = pair(name)
    exported = torch.export.export(step, batch(name)).module()
    assert_adds_the_same(exported, exported, plain, name)


@pytest.mark.parametrize("name", LAYOUTS)
def test_same_bytes_every_time(name: str, kernel: str) -> None:
    step, threads = pair(name)[0], torch.get_num_threads()
    features, targets = batch(name, rows=5000 if kernel == "native" else 300)
    results = set()
    try:
        for repeat in range(1000 if kernel == "native" else 20):
            torch.set_num_threads(1 + repeat % 2)
            step.counts.zero_()
            step.sums.zero_()
            step(features, targets)
            results.add((step.counts.numpy().tobytes(), step.sums.numpy().tobytes()))
    finally:
        torch.set_num_threads(threads)
    assert len(results) == 1
