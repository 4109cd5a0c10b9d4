"""Reads the pickles of CIFAR without running what a pickle may ask for.

Nothing of NumPy or of any other module is called while one is read: the few names that these
files need are played by the stand-ins below, every other name is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from ftcore import DataError


def load_pickle(path: Path) -> dict[str, Any]:
    """Return the dict in a file: numbers, bytes, lists, and uint8 arrays.

    Keys become str; text written by Python 2 stays bytes. DataError for anything else.
    """
    try:
        with path.open("rb") as file:
            content = _Unpickler(file, encoding="bytes").load()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # a damaged pickle may fail in any way
        reason = str(error) or type(error).__name__
        raise DataError(f"{path} is no CIFAR batch: {reason}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} is no CIFAR batch: it holds a {type(content).__name__}, no dict")
    return {
        key.decode("latin1") if isinstance(key, bytes) else str(key): _unwrap(value)
        for key, value in content.items()
    }


class _Array:
    """What an array is while it is being read."""

    values = np.empty(0, np.uint8)

    def __setstate__(self, state: tuple[int, tuple[int, ...], object, bool, bytes]) -> None:
        _, shape, kind, is_fortran, content = state
        if not isinstance(kind, _Kind) or not isinstance(content, bytes):
            raise pickle.UnpicklingError("an array in it is malformed")
        array = np.frombuffer(content, np.uint8)
        self.values = array.reshape(shape, order="F" if is_fortran else "C")


class _Kind:
    """The kind of an array's numbers, which is uint8."""

    def __init__(self, code: bytes | str, *_: object) -> None:
        if code not in (b"u1", "u1", b"|u1", "|u1"):
            raise pickle.UnpicklingError(f"it holds an array of {code!r} rather than uint8")

    def __setstate__(self, state: object) -> None:
        pass  # byte order and alignment, which mean nothing for uint8


def _make_array(*_: object) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin1")


_STAND_INS = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("numpy.core.multiarray", "_reconstruct"): _make_array,
    ("numpy._core.multiarray", "_reconstruct"): _make_array,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is refused") from None


def _unwrap(value: object) -> object:
    return value.values if isinstance(value, _Array) else value
