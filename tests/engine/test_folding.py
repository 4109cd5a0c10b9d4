from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from ftcore.engine.folding import fold_


class Around(nn.Module):
    """A convolution and a BatchNorm, with what `flow` makes of them."""

    def __init__(self, flow: Callable[..., Tensor], norm: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = norm or nn.BatchNorm2d(3)
        self.flow = flow
        self.seen: Any = None

    def forward(self, inputs: Tensor, scale: float | None = None) -> Tensor:
        return self.flow(self, inputs if scale is None else inputs * scale)


class Unlike(nn.Conv2d):
    """A convolution that is not one."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs).relu()


def branch(stage: Any, inputs: Tensor) -> Tensor:
    out: Tensor = stage.norm(stage.conv(inputs))
    return out if inputs.sum() > 0 else -out


def remember(stage: Any, inputs: Tensor) -> Tensor:
    stage.seen = stage.norm(stage.conv(inputs))
    return inputs + stage.seen  # type: ignore[no-any-return]


def randomised(module: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(3)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            for tensor in (norm.weight, norm.running_var):
                if tensor is not None:
                    tensor.data.uniform_(0.3, 3, generator=generator)
            for tensor in (norm.bias, norm.running_mean):
                if tensor is not None:
                    tensor.data.normal_(0, 1, generator=generator)
    return module.eval()


def check(stage: nn.Module, inputs: Tensor, layers: list[str]) -> None:
    """Fold a copy; compare with the stage itself in float64."""
    prefix = nn.Sequential(randomised(stage))
    folded = copy.deepcopy(prefix)
    with torch.no_grad():
        assert list(fold_(folded, inputs)) == [f"0.{layer}" for layer in layers]
        exact = prefix.double()(inputs.double())
        torch.testing.assert_close(folded(inputs).double(), exact, rtol=1e-5, atol=1e-5)


FOLDED = {
    "1d": (nn.Sequential(nn.Conv1d(3, 5, 3), nn.BatchNorm1d(5)), (2, 3, 9)),
    "2d": (nn.Sequential(nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), (2, 4, 9, 9)),
    "3d": (nn.Sequential(nn.Conv3d(3, 5, 2, bias=False), nn.BatchNorm3d(5)), (2, 3, 4, 4, 4)),
    "no scale": (nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5, affine=False)), (2, 3, 9, 9)),
    "linear": (nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)), (2, 3)),
}


@pytest.mark.parametrize("case", FOLDED)
def test_a_norm_alone_above_a_layer_is_folded(case: str) -> None:
    stage, shape = FOLDED[case]
    check(stage, torch.randn(shape), ["0"])


FLOWS: dict[str, tuple[Callable[..., Tensor], list[str]]] = {
    "residual": (lambda s, x: x + s.norm(s.conv(x)), ["conv"]),
    "stored": (remember, ["conv"]),
    "used twice": (lambda s, x: s.norm(y := s.conv(x)) + y, []),
    "conv called twice": (lambda s, x: s.norm(s.conv(x)) + s.conv(x), []),
    "norm called twice": (lambda s, x: s.norm(s.conv(x)) + s.norm(x), []),
    "norm below": (lambda s, x: s.conv(s.norm(x)), []),
    "something between": (lambda s, x: s.norm(s.conv(x).relu()), []),
    "weight read": (lambda s, x: s.norm(s.conv(x)) + s.conv.weight.sum(), []),
    "untraceable": (branch, []),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_what_goes_elsewhere_too_is_not_folded(flow: str) -> None:
    function, layers = FLOWS[flow]
    check(Around(function), torch.randn(2, 3, 6, 6), layers)


def hooked() -> nn.Module:
    stage = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3))
    stage[0].register_forward_hook(lambda module, inputs, output: output.relu())
    return stage


def shared() -> nn.Module:
    stage = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3))
    return nn.Sequential(stage, nn.ReLU(), stage)


def tied() -> nn.Module:
    stage = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 3, 3))
    stage[2].weight = stage[0].weight
    return stage


def normalised() -> nn.Module:
    conv = parametrizations.weight_norm(nn.Conv2d(3, 3, 3))
    return nn.Sequential(conv, nn.BatchNorm2d(3))


def stateless() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3, track_running_stats=False))


def unlike() -> nn.Module:
    return nn.Sequential(Unlike(3, 3, 3), nn.BatchNorm2d(3))


@pytest.mark.parametrize(
    ("make", "layers"),
    [(hooked, []), (shared, []), (tied, ["0"]), (normalised, []), (stateless, []), (unlike, [])],
)
def test_a_layer_that_is_more_than_it_seems_is_not_folded(
    make: Callable[[], nn.Module], layers: list[str]
) -> None:
    check(make(), torch.randn(2, 3, 9, 9), layers)


def test_a_linear_layer_over_sequences_is_not_folded() -> None:
    # BatchNorm1d takes the places, here as many as features, for its channels.
    check(nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5)), torch.randn(2, 5, 3), [])


def test_the_parts_of_an_untraceable_sequence_are_folded_each_by_itself() -> None:
    pair = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    check(nn.Sequential(pair, Around(branch)), torch.randn(2, 3, 6, 6), ["0.0"])


def test_tracing_leaves_nothing_behind_in_the_stage() -> None:
    stage = Around(remember).eval()
    fold_(nn.Sequential(stage), torch.randn(2, 3, 6, 6))
    assert stage.seen is None
