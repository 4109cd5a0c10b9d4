"""Hashes of raw examples by content: what tells one from another, whatever it is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ftcore.interfaces import Raw

if TYPE_CHECKING:
    from torch import Tensor


def digest_of(raw: Raw) -> str:
    """Return the SHA-256 of a raw example, in hexadecimal.

    An example is a tensor, an array, text, bytes, a number, None, or a tuple, list or dict of such.
    Type, shape and every byte count; device and strides do not. TypeError for anything else.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(raw):
        digest.update(chunk)
    return digest.hexdigest()


def bytes_of(tensor: Tensor) -> memoryview:
    """Return the content of a tensor, whatever its strides and device."""
    import torch

    # Viewed as bytes, since NumPy knows no bfloat16; flattened, since a scalar has no such view.
    content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
    data: memoryview = content.numpy().data
    return data


def _chunks(raw: Any) -> Iterator[bytes | memoryview]:
    # Each piece starts with its kind and size, so that two different examples never run together.
    if isinstance(raw, (str, int, float, bool, type(None))):
        text = json.dumps(raw).encode()
        yield f"{type(raw).__name__} {len(text)} ".encode() + text
    elif isinstance(raw, (bytes, bytearray)):
        yield f"bytes {len(raw)} ".encode() + raw
    elif isinstance(raw, np.ndarray):
        yield from _array(str(raw.dtype), raw)
    elif isinstance(raw, Mapping):
        yield f"dict {len(raw)} ".encode()
        for key in sorted(raw):
            yield from _chunks(key)
            yield from _chunks(raw[key])
    elif isinstance(raw, (tuple, list)):
        yield f"list {len(raw)} ".encode()
        for each in raw:
            yield from _chunks(each)
    else:
        yield from _tensor(raw)


def _tensor(raw: Any) -> Iterator[bytes | memoryview]:
    import torch

    if not isinstance(raw, torch.Tensor):
        raise TypeError(
            f"a raw example holds an object of type {type(raw).__name__!r}, whose content cannot "
            "be told; use tensors, arrays, text, numbers, and tuples, lists or dicts of these"
        )
    content = bytes_of(raw)
    yield f"array {raw.dtype} {list(raw.shape)} {(len(content),)} ".encode()
    yield content


def _array(kind: str, array: np.ndarray) -> Iterator[bytes | memoryview]:
    yield f"array {kind} {array.shape} ".encode()
    yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
