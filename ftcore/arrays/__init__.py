"""Arrays in files that another tool wrote, read a few rows at a time: .npy and .safetensors."""

from __future__ import annotations

from ftcore.arrays.opening import open_array
from ftcore.arrays.stored import StoredArray

__all__ = ["StoredArray", "open_array"]
