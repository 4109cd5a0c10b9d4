"""The header of a .npy file (https://numpy.org/doc/stable/reference/generated/numpy.lib.format)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.lib import format as npy

from ftcore.arrays.stored import StoredArray
from ftcore.errors import DataError

_DTYPES = {
    "<f2": torch.float16,
    "<f4": torch.float32,
    "<f8": torch.float64,
    "|i1": torch.int8,
    "<i2": torch.int16,
    "<i4": torch.int32,
    "<i8": torch.int64,
    "|u1": torch.uint8,
    "<u2": torch.uint16,
    "<u4": torch.uint32,
    "<u8": torch.uint64,
}


def read_npy(path: Path) -> StoredArray:
    """Return the array of a .npy file; DataError where it is damaged or no rows of numbers."""
    with path.open("rb") as file:
        try:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, is_columns_first, dtype = read(file)
        except Exception as error:  # a border: whatever a damaged header makes the reader raise
            reason = str(error).partition("\n")[0]
            raise DataError(
                f"{path} is damaged or no .npy file ({reason}): write it again with numpy.save"
            ) from error
        offset = file.tell()
    if is_columns_first and len(shape) > 1:
        raise DataError(
            f"{path} is stored column after column (Fortran order), so its rows cannot be read one "
            "after the other: write numpy.ascontiguousarray of it"
        )
    return StoredArray(path, offset, tuple(map(int, shape)), _dtype(dtype, path))


def _dtype(dtype: np.dtype[np.generic], path: Path) -> torch.dtype:
    if dtype.hasobject:
        raise DataError(
            f"{path} holds Python objects; reading them could run code, so it is refused: write it "
            "again as an array of plain numbers"
        )
    if dtype.str not in _DTYPES:
        raise DataError(
            f"{path} holds {dtype.str}, not plain little-endian numbers: write it again with "
            "astype('float32'), or astype('int64') for targets"
        )
    return _DTYPES[dtype.str]
