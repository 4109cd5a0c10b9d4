"""The contract of a backbone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcore.errors import DataError, UsageError
from ftcore.interfaces import Backbone, Corruptible, Inputs, Preprocess, Stage, Weights
from ftcore.testing.corruptions import check_corruptions
from ftcore.testing.refusals import assert_refused
from ftcore.testing.samples import raw_images
from ftcore.testing.values import is_close, is_same, leaves, mapped, state_of

if TYPE_CHECKING:
    from torch import nn


def check_backbone(
    backbone: Backbone,
    original: Callable[[Inputs], Inputs] | None = None,
    inputs: Inputs | None = None,
) -> None:
    """Assert the contract of `ftcore.Backbone`.

    `original` is the model it was cut from: composing the stages, and the head where there is
    one, must equal it bit for bit in eval mode. `inputs` is a batch of at least two examples as
    the lowest stage takes it; by default images through the backbone's own preprocessing.
    """
    import torch

    assert isinstance(backbone, Backbone), f"{backbone!r} is no ftcore.Backbone."
    _check_stages(backbone)
    _check_weights(backbone.weights)
    _check_preprocess(backbone.preprocess)
    batch = _image_batch(backbone.preprocess) if inputs is None else inputs
    modules = [stage.module for stage in backbone.stages]
    modules += [backbone.head] if backbone.head is not None else []
    if isinstance(original, torch.nn.Module):
        modules.append(original)
    with torch.no_grad(), _in_eval_mode(modules):
        before = state_of(modules)
        outputs = _check_forward(backbone, batch)
        assert is_same(before, state_of(modules)), (
            "A forward in eval mode changed parameters or buffers, so that a frozen stage would "
            "not stay what it was."
        )
        if original is not None:
            assert is_same(outputs, original(batch)), (
                "Composing the stages, and the head where there is one, does not equal the "
                "original model bit for bit."
            )


def _check_stages(backbone: Backbone) -> None:
    from torch import nn

    names = [stage.name for stage in backbone.stages]
    assert names, "The backbone has no stages; a model that cannot be cut is one stage."
    for stage in backbone.stages:
        assert isinstance(stage, Stage), f"{stage!r} is no ftcore.Stage."
        assert isinstance(stage.module, nn.Module), f"Stage {stage.name!r} holds no nn.Module."
    assert len(set(names)) == len(names), f"Two stages have the same name: {names}."
    assert all(names), f"A stage has no name: {names}."
    assert "head" not in names, "A stage is named 'head', which is the name of the task's layers."
    owners: dict[int, str] = {}
    for stage in backbone.stages:
        for name, parameter in stage.module.named_parameters():
            owner = owners.setdefault(id(parameter), stage.name)
            assert owner == stage.name, (
                f"The parameter {name!r} of stage {stage.name!r} also belongs to stage {owner!r}; "
                "a parameter belongs to one stage."
            )
    assert len(backbone.named_parameters()) == len(owners), (
        "Two parameters have the same name '<stage>.<parameter>'; leave dots out of stage names."
    )
    assert not backbone.head_input or backbone.head_input in names, (
        f"head_input is {backbone.head_input!r}, but the stages are {names}."
    )


def _check_weights(weights: Weights) -> None:
    assert isinstance(weights, Weights), f"weights is {weights!r}, no ftcore.Weights."
    assert weights.name, "weights.name is empty; it is 'random' where nothing was loaded."
    if weights.is_pretrained:
        assert weights.origin, f"Weights {weights.name!r} do not say where they come from."
        assert re.fullmatch("[0-9a-f]{64}", weights.sha256), (
            f"weights.sha256 is {weights.sha256!r}, not the 64 hexadecimal digits of a SHA-256."
        )
    else:
        assert not weights.origin, "Random weights have no origin."
        assert not weights.sha256, "Random weights have no file, and so no SHA-256."


def _check_preprocess(preprocess: Preprocess) -> None:
    assert isinstance(preprocess, Preprocess), f"preprocess is {preprocess!r}, no Preprocess."
    described = dict(preprocess.describe())
    assert json.loads(json.dumps(described)) is not None, "describe() returns no JSON values."
    assert described == dict(preprocess.describe()), "describe() answers differently each time."
    assert_refused(
        lambda: preprocess.augmented("no-such-augmentation"),
        UsageError,
        "no-such-augmentation",
        "augmented() takes an unknown augmentation",
    )
    assert_refused(
        lambda: list(preprocess.read(Path("no-such-file"))),
        DataError,
        "no-such-file",
        "read() takes a file that is not there",
    )
    if isinstance(preprocess, Corruptible):
        check_corruptions(preprocess)


def _image_batch(preprocess: Preprocess) -> Inputs:
    """Three images as a batch; other sizes and one channel must work too."""
    stacked: Any = raw_images(3, 40, 48)
    seeds = (0, 1, 2) if preprocess.is_random else ()
    batch = preprocess(stacked, seeds)
    assert is_same(batch, preprocess(stacked, seeds)), "Preprocessing differs from call to call."
    assert is_same(batch, preprocess(list(stacked), seeds)), (
        "Preprocessing images that come stacked differs from the same ones that come in a list."
    )
    grey = preprocess(list(stacked[:, :1]), seeds)
    assert [leaf.shape for leaf in leaves(grey)] == [leaf.shape for leaf in leaves(batch)], (
        "Preprocessing images of one channel gives another shape than those of three."
    )
    return batch


def _check_forward(backbone: Backbone, batch: Inputs) -> Inputs:
    """Run the stages; return what the original model should: the head's outputs, or features."""
    count = _leading_sizes(batch)[0]
    outputs = {}
    flow = batch
    for stage in backbone.stages:
        flow = outputs[stage.name] = stage.module(flow)
        assert set(_leading_sizes(flow)) == {count}, (
            f"Stage {stage.name!r} returns shapes {[tuple(leaf.shape) for leaf in leaves(flow)]} "
            f"for {count} examples; the first dimension is the batch."
        )
    _check_features(backbone, flow, count)
    again = _compose(backbone.stages, batch)
    assert is_same(flow, again), "Two forwards of the same batch in eval mode differ."
    alone = _compose(backbone.stages, mapped(batch, lambda tensor: tensor[:1]))
    assert is_close(mapped(flow, lambda tensor: tensor[:1]), alone, rtol=1e-3, atol=1e-4), (
        "The features of an example depend on the rest of its batch, so they cannot be cached."
    )
    if backbone.head is None:
        assert not backbone.classes, "The backbone names classes, but has no head."
        return flow
    return _check_head(backbone, outputs[backbone.head_stages[-1].name], count)


def _check_features(backbone: Backbone, features: Any, count: int) -> None:
    import torch

    assert isinstance(features, torch.Tensor), (
        f"The last stage returns a {type(features).__name__}; features are one tensor (N, D)."
    )
    assert features.shape == (count, backbone.feature_dim), (
        f"The features of {count} examples have shape {tuple(features.shape)}; "
        f"feature_dim promises {(count, backbone.feature_dim)}."
    )
    assert features.is_floating_point(), f"The features are {features.dtype}, not floating point."
    assert bool(features.isfinite().all()), "The features are not finite."


def _check_head(backbone: Backbone, taken: Inputs, count: int) -> Inputs:
    assert backbone.head is not None
    logits = backbone.head(taken)
    shape = tuple(logits.shape)
    assert len(shape) == 2, f"The head returns shape {shape}; it maps to (N, C)."
    assert shape[0] == count, f"The head returns shape {shape} for {count} examples."
    assert not backbone.classes or len(backbone.classes) == shape[1], (
        f"The backbone names {len(backbone.classes)} classes, its head has {shape[1]} outputs."
    )
    return logits


def _compose(stages: Sequence[Stage], flow: Inputs) -> Inputs:
    for stage in stages:
        flow = stage.module(flow)
    return flow


def _leading_sizes(flow: Inputs) -> list[int]:
    return [int(leaf.shape[0]) for leaf in leaves(flow)]


@contextmanager
def _in_eval_mode(modules: Sequence[nn.Module]) -> Iterator[None]:
    modes = {module: module.training for top in modules for module in top.modules()}
    for module in modes:
        module.training = False
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
