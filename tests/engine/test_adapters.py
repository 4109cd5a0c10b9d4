from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ftcore.engine.adapters import add_adapters, describe_adapters, merged_state
from ftcore.engine.device import deterministic
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.predictions import Predictions
from ftcore.engine.preparation import prepare
from ftcore.engine.storage import read_tensors
from ftcore.errors import PluginError
from ftcore.interfaces import Adapter
from tests.engine.test_run import make_parts, run
from tests.tiny import make_backbone

CONVOLUTION, GROUPED, LINEAR = "0.weight", "1.weight", "3.weight"


def make_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(8, 8, 3, padding=1, groups=4, bias=False),
        nn.Flatten(),
        nn.Linear(32, 5),
    )


def make_transformer() -> nn.Sequential:
    """One whose attention reads the weights of its projections rather than calling them."""
    torch.manual_seed(0)
    return nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True))


def adapt(model: nn.Module, *weights: str, trained: bool = True) -> nn.Module:
    """Add adapters of rank 2 and scale 1.5; `trained` ones are no longer zero."""
    names = weights or [name for name, p in model.named_parameters() if p.dim() > 1]
    add_adapters(model, [Adapter(name, 2, 3.0) for name in names])
    for name, parameter in model.named_parameters():
        if trained and name.endswith("_adapter.up"):
            nn.init.normal_(parameter, std=0.1)
    return model


def changed(weight: Tensor, up: Tensor, down: Tensor, scale: float) -> Tensor:
    """What an adapted weight should be, in float64 NumPy."""
    up, down = (tensor.detach().double() for tensor in (up, down))
    change = np.einsum("or,rk->ok", up.numpy(), down.numpy()).reshape(weight.shape)
    return torch.from_numpy(weight.detach().double().numpy() + scale * change).float()


CASES: list[tuple[Any, tuple[int, ...]]] = [
    (make_model, (4, 3, 4, 4)),
    (make_transformer, (4, 6, 8)),
]


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("training", [True, False])
def test_at_first_nothing_has_changed(make: Any, shape: tuple[int, ...], training: bool) -> None:
    inputs = torch.randn(shape)
    bare, adapted = make().train(training), adapt(make(), trained=False).train(training)
    assert torch.equal(bare(inputs), adapted(inputs))


def test_down_starts_as_the_weights_of_torch_s_own_layers_do() -> None:
    add_adapters(model := nn.Sequential(nn.Linear(400, 300)), [Adapter("0.weight", 64, 1.0)])
    down = model.get_parameter("0.weight_adapter.down")
    assert down.shape == (64, 400)
    assert 0.99 / 20 < float(down.detach().abs().max()) <= 1 / 20  # uniform up to 1 / sqrt(400)


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("training", [True, False])
def test_whoever_reads_a_weight_sees_the_change(
    make: Any, shape: tuple[int, ...], training: bool
) -> None:
    inputs = torch.randn(shape)
    adapted, bare = adapt(make()).train(training), make().train(training)
    state = dict(adapted.state_dict())
    with torch.no_grad():
        for name, weight in bare.named_parameters():
            if weight.dim() > 1:
                up, down = state[f"{name}_adapter.up"], state[f"{name}_adapter.down"]
                weight.copy_(changed(weight, up, down, 1.5))
    torch.testing.assert_close(adapted(inputs), bare(inputs), rtol=1e-4, atol=1e-5)
    adapted(inputs).square().sum().backward()
    gradients = {n: p.grad for n, p in adapted.named_parameters() if "_adapter." in n}
    assert all(gradient is not None and gradient.any() for gradient in gradients.values())


def test_parameters_keep_their_names_and_their_bytes() -> None:
    bare, adapted = make_model(), adapt(make_model(), CONVOLUTION)
    parameters = dict(adapted.named_parameters())
    added = set(Adapter(CONVOLUTION, 2, 3.0).parameters)
    assert added == {"0.weight_adapter.down", "0.weight_adapter.up"}
    assert parameters.keys() == dict(bare.named_parameters()).keys() | added
    assert all(torch.equal(parameters[name], p) for name, p in bare.named_parameters())
    assert parameters.keys() == adapted.state_dict().keys()
    assert repr(adapted).startswith("Sequential(\n  (0): Conv2d(")


@pytest.mark.parametrize(("make", "shape"), CASES)
@pytest.mark.parametrize("half", [True, False])
def test_the_merged_state_is_that_of_the_bare_model_and_gives_the_same_bits(
    make: Any, shape: tuple[int, ...], half: bool
) -> None:
    inputs = torch.randn(shape)
    bare, adapted = make().eval(), adapt(make()).eval()
    before = copy.deepcopy(adapted.state_dict())
    bare.load_state_dict(merged_state(adapted))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        assert torch.equal(bare(inputs), adapted(inputs))
        assert not torch.equal(make().eval()(inputs), adapted(inputs))
    assert all(torch.equal(tensor, before[name]) for name, tensor in adapted.state_dict().items())


def test_a_module_used_twice_is_merged_under_both_names() -> None:
    layer = nn.Linear(8, 8)
    model = adapt(nn.Sequential(layer, nn.ReLU(), layer), "0.weight")
    state = merged_state(model)
    assert torch.equal(state["0.weight"], state["2.weight"])
    assert not torch.equal(state["0.weight"], layer.state_dict()["weight"])
    assert state.keys() == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_a_copy_and_a_compiled_model_are_adapted_too() -> None:
    adapted, inputs = adapt(make_model()), torch.randn(2, 3, 4, 4)
    assert torch.equal(copy.deepcopy(adapted)(inputs), adapted(inputs))
    compiled = torch.compile(adapted, backend="eager", fullgraph=True)
    assert torch.equal(compiled(inputs), adapted(inputs))


def shared() -> nn.Module:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    model[1].weight = model[0].weight
    return model


@pytest.mark.parametrize(
    ("model", "adapters", "words"),
    [
        (make_model(), [Adapter("9.weight", 2, 1.0)], "'9.weight', which the model lacks"),
        (make_model(), [Adapter("0.height", 2, 1.0)], "'0.height', which the model lacks"),
        (make_model(), [Adapter("0.bias", 2, 1.0)], r"'0.bias' of shape \(8,\)"),
        (make_model(), [Adapter("0.weight", 0, 1.0)], "with rank 0 and alpha 1.0"),
        (make_model(), [Adapter("0.weight", 2, 0.0)], "with rank 2 and alpha 0.0"),
        (make_model(), [Adapter("0.weight", 2, 1.0)] * 2, "'0.weight', which has an adapter"),
        (nn.Sequential(nn.LSTM(4, 4)), [Adapter("0.weight_ih_l0", 2, 1.0)], "a list of its own"),
        (shared(), [Adapter("0.weight", 2, 1.0)], "which 2 modules share"),
    ],
)
def test_adapters_that_do_not_fit_are_refused(
    model: nn.Module, adapters: list[Adapter], words: str
) -> None:
    with pytest.raises(PluginError, match=words):
        add_adapters(model, adapters)


def test_without_adapters_there_is_nothing_to_merge_or_to_write() -> None:
    model = make_model()
    assert merged_state(model).keys() == model.state_dict().keys()
    assert describe_adapters(model)[0] == {}


@pytest.fixture(params=["fp32", "bf16"])
def finished(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """The precision and the folder of a run whose adapters have moved."""
    options: dict[str, Any] = {"freeze": "lora:r=2,alpha=3,top=2", "lr": 0.05, "cache": "off"}
    record, path = run(tmp_path / "runs", precision=request.param, **options)
    assert record.freeze is not None
    # 2 x (6 + 36) and 2 x (8 + 54) numbers of adapters, and 8 x 3 + 3 of the head.
    assert record.freeze.trained == 84 + 124 + 27
    assert record.freeze.frozen == sum(
        p.numel() for p in make_backbone().named_parameters().values()
    )
    return request.param, path


def test_a_run_leaves_the_merged_model_and_the_adapters_apart(finished: tuple[str, Path]) -> None:
    _, path = finished
    model, _ = read_tensors(path / "model.safetensors")
    adapters, metadata = read_tensors(path / "adapters.safetensors")
    weights = ["middle.0.weight", "top.0.weight"]
    assert json.loads(metadata["adapters"]) == {w: {"rank": 2, "alpha": 3.0} for w in weights}
    assert adapters.keys() == {n for w in weights for n in Adapter(w, 2, 3.0).parameters}
    pretrained = {
        f"{stage.name}.{name}": tensor
        for stage in make_backbone().stages
        for name, tensor in stage.module.state_dict().items()
    }
    assert model.keys() == pretrained.keys() | {"head.weight", "head.bias"}
    for name, tensor in pretrained.items():  # among them what BatchNorm counts
        if name in weights:
            up, down = adapters[f"{name}_adapter.up"], adapters[f"{name}_adapter.down"]
            assert up.any()
            torch.testing.assert_close(model[name], changed(tensor, up, down, 1.5))
        else:
            assert torch.equal(model[name], tensor), name


def test_the_merged_model_predicts_what_the_run_did(finished: tuple[str, Path]) -> None:
    precision, path = finished
    prepared = prepare(make_parts(out=path, precision=precision, freeze="bottom"), Observer())
    prepared.model.load_state_dict(read_tensors(path / "model.safetensors")[0])
    source = prepared.feeder.raw["test"]
    with deterministic():
        statistics, _ = prepared.evaluator.statistics(prepared.model, source, Observer())
    again = RunDirectory(path.parent)
    again.write_predictions(Predictions.of(prepared.parts.task, statistics, source.ids))
    name = "predictions.safetensors"
    assert (again.path / name).read_bytes() == (path / name).read_bytes()
