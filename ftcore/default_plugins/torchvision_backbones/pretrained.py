"""Finds the parameters a backbone starts from: published, in a file, or random."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcore import DataError, UsageError, Weights, fetch_weights, read_state_dict

from .zoo import published_weights

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Pretrained:
    """The parameters to start from; no state means random ones."""

    weights: Weights
    state: dict[str, Tensor] | None = None
    classes: tuple[str, ...] = ()


def find_pretrained(name: str, weights: str) -> Pretrained:
    """Return what `weights` means for the architecture `name`: auto, imagenet, none or a path.

    Raises DataError for ImageNet weights that are asked for but not at hand, and for a file that
    cannot be read; UsageError for a word that is none of these.
    """
    if weights == "none":
        return Pretrained(Weights(name="random"))
    if weights == "imagenet":
        return _published(name)
    if weights == "auto":
        try:
            return _published(name)
        except DataError as error:
            note = f"{name} starts from random weights, so scores say nothing about pretrained "
            return Pretrained(Weights(name="random", note=f"{note}features: {error}"))
    return _read(name, _path(weights))


def _published(name: str) -> Pretrained:
    member = published_weights(name).DEFAULT
    state, digest = read_state_dict(fetch_weights(member.url))
    return _described(member, state, Weights("imagenet", origin=member.url, sha256=digest))


def _read(name: str, path: Path) -> Pretrained:
    state, digest = read_state_dict(path)
    weights = Weights(path.name, str(path), digest, training_data="unknown")
    for member in published_weights(name):
        if digest.startswith(_first_digits(member.url)):
            return _described(member, state, weights)
    return Pretrained(weights, state)


def _described(member: Any, state: dict[str, Tensor], weights: Weights) -> Pretrained:
    training_data, licence = "ImageNet-1k", "BSD-3-Clause; ImageNet's own terms may apply"
    if "SWAG" in member.name:  # Singh 2022
        training_data, licence = "3.6 billion Instagram images, then ImageNet-1k", "CC-BY-NC-4.0"
    weights = replace(weights, training_data=training_data, licence=licence)
    return Pretrained(weights, state, tuple(member.meta["categories"]))


def _path(weights: str) -> Path:
    path = Path(weights).expanduser()
    if not weights or (not path.suffix and not path.exists()):
        raise UsageError(
            f"unknown weights {weights!r}: give auto, imagenet, none, or the path of a "
            ".safetensors or .pth file"
        )
    return path


def _first_digits(url: str) -> str:
    # torchvision ends each file's name in the first digits of its SHA-256.
    return url.rpartition("-")[2].partition(".")[0]
