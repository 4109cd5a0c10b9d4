"""Opens an array by its file's name, and refuses what is no such file in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ftcore.arrays.npy import read_npy
from ftcore.arrays.safetensors import read_safetensors
from ftcore.arrays.stored import StoredArray
from ftcore.errors import DataError

_READERS: Mapping[str, Callable[[Path, str], StoredArray]] = {
    ".npy": lambda path, _: read_npy(path),
    ".safetensors": read_safetensors,
}


def open_array(path: Path, name: str) -> StoredArray:
    """Return the array of a .npy file, or of a .safetensors file the tensor `name`.

    Only the header is read, and nothing is ever unpickled. Raises DataError for a file that is
    missing, damaged, of another length than its header says, or that holds no plain numbers.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise DataError(f"{path} is no array file: its name must end in {' or '.join(_READERS)}")
    if not path.exists():
        raise DataError(f"there is no file {path}")
    if not path.is_file():
        raise DataError(f"{path} is a folder or a device, not a file: give a file")
    try:
        size = path.stat().st_size
        if size == 0:
            raise DataError(f"{path} is empty (0 bytes): write or copy it again")
        array = read(path, name)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    _check_size(array, size)
    return array


def _check_size(array: StoredArray, size: int) -> None:
    if any(length < 0 for length in array.shape):
        raise DataError(f"{array.path} has a damaged header: its shape is {array.shape}")
    # What follows a .npy array, such as a second one, must not be left out in silence. In a
    # safetensors file other tensors follow, and its reader has checked where each one ends.
    is_alone = array.path.suffix.lower() == ".npy"
    if array.end > size or (is_alone and array.end < size):
        raise DataError(
            f"{array.path} has {size:,} bytes, but its header says {array.end:,}: "
            f"{array.shape} of {array.dtype}; it was cut off or damaged: write or copy it again"
        )
