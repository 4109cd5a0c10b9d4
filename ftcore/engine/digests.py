"""Hashes of tensors by content: what proves that frozen tensors did not move."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from torch import Tensor

from ftcore.content import bytes_of


def digests(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the SHA-256 of each tensor's dtype, shape and bytes, in hexadecimal.

    Strides and device do not count; the sign of zero and the payload of NaN do.
    """
    return {name: _digest(tensor) for name, tensor in tensors.items()}


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Return one SHA-256 over all names and `digests`, whatever their order."""
    return combine(digests(tensors))


def combine(digests: Mapping[str, str]) -> str:
    """Return one SHA-256 over what `digests` returned."""
    listing = json.dumps(sorted(digests.items()))
    return hashlib.sha256(listing.encode()).hexdigest()


def _digest(tensor: Tensor) -> str:
    header = json.dumps([str(tensor.dtype), list(tensor.shape)])
    result = hashlib.sha256(header.encode())
    result.update(bytes_of(tensor))
    return result.hexdigest()
