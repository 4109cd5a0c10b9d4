"""Builds a backbone: finds its weights, makes the model, loads it and cuts it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ftcore import Backbone, DataError, load_state_dict

from .families import FAMILIES, Family
from .preprocessing import make_preprocess
from .pretrained import Pretrained, find_pretrained
from .zoo import make_model

if TYPE_CHECKING:
    from torch import Tensor

    from .catalogue import Architecture

_IMAGENET_CLASSES = 1000


def build(
    architecture: Architecture, weights: str, image_size: int | None, input_shape: tuple[int, ...]
) -> Backbone:
    """Return the backbone, in eval mode.

    Raises UsageError for an image size or weights it cannot have, DataError for weights that
    cannot be read or do not fit.
    """
    preprocess = make_preprocess(architecture, image_size, input_shape)
    pretrained = find_pretrained(architecture.name, weights)
    family = FAMILIES[architecture.family]
    model = _load_model(architecture.name, family, pretrained, preprocess.size)
    cut = family.cut(model.eval())
    return Backbone(
        architecture.name,
        cut.stages,
        cut.feature_dim,
        preprocess,
        pretrained.weights,
        cut.head if _has_head(family, pretrained.state) else None,
        pretrained.classes,
        cut.head_input,
    )


def _load_model(name: str, family: Family, pretrained: Pretrained, size: int) -> Any:
    state, source = pretrained.state, pretrained.weights.origin
    classes = _IMAGENET_CLASSES
    if state is not None and _has_head(family, state):
        classes = _count_classes(family, state, source)
    model = make_model(name, classes, size if family.has_fixed_size else None)
    if state is None:
        return model
    if not _has_head(family, state):
        own = model.state_dict()
        state = state | {key: own[key] for key in _head_keys(family)}
    load_state_dict(model, family.adapt(state, size), source)
    return model


def _head_keys(family: Family) -> tuple[str, str]:
    return f"{family.last_layer}.weight", f"{family.last_layer}.bias"


def _has_head(family: Family, state: Mapping[str, Tensor] | None) -> bool:
    # A state dict may end at the features, as those of self-supervised training do.
    return state is not None and any(key in state for key in _head_keys(family))


def _count_classes(family: Family, state: Mapping[str, Tensor], source: str) -> int:
    key = next(key for key in _head_keys(family) if key in state)
    shape = tuple(state[key].shape)
    if not shape or not shape[0]:
        raise DataError(f"{source} has a head without outputs: {key} has the shape {shape}")
    return shape[0]
