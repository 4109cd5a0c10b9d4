"""One tensor of a .safetensors file: where in it the numbers lie."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open

from ftcore.arrays.stored import StoredArray
from ftcore.errors import DataError

_DTYPES = {
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "U8": torch.uint8,
    "U16": torch.uint16,
    "U32": torch.uint32,
    "U64": torch.uint64,
}
_PREFIX = 8  # bytes that hold the length of the header


def read_safetensors(path: Path, name: str) -> StoredArray:
    """Return the tensor `name`, or the only one there is; DataError where neither is there."""
    try:
        # The library verifies the whole header: types, shapes, and that the tensors fill the file.
        # Its slices come from a mapped file, whose pages count as memory of the process.
        with safe_open(path, framework="numpy") as file:
            names = list(file.keys())
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(_PREFIX), "little")
            header = json.loads(stream.read(length))
    except Exception as error:  # a border: whatever a damaged file makes the reader raise
        raise DataError(
            f"{path} is damaged or no safetensors file ({error}): write or copy it again"
        ) from error
    if name not in names and len(names) != 1:
        shown = ", ".join(map(repr, names[:10])) or "none at all"
        raise DataError(f"{path} has no tensor {name!r}; it has {shown}: name one of them {name!r}")
    entry = header[name if name in names else names[0]]
    if entry["dtype"] not in _DTYPES:
        known = ", ".join(_DTYPES)
        raise DataError(f"tensor {name!r} of {path} is {entry['dtype']}; it must be one of {known}")
    offset = _PREFIX + length + entry["data_offsets"][0]
    return StoredArray(path, offset, tuple(entry["shape"]), _DTYPES[entry["dtype"]])
