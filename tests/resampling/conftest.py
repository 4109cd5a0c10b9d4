"""Both kernels in one process: a test that takes `kernel` runs with the native one and in NumPy."""

from __future__ import annotations

import pytest

from ftcore._native.location import Kernel
from ftcore.resampling import library, reference


@pytest.fixture(params=["native", "NumPy"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kernel that resampling uses during a test."""
    name: str = request.param
    found = library.kernel()
    if name == "native" and not found.is_native:
        pytest.skip(f"no native kernel: {found.why}")
    if name == "NumPy":
        chosen = Kernel(False, "a test asks for it", "NumPy"), reference
        monkeypatch.setattr(library, "_chosen", lambda: chosen)
    return name


@pytest.fixture
def native() -> library.Functions:
    """The functions of the native library."""
    found = library.kernel()
    if not found.is_native:
        pytest.skip(f"no native kernel: {found.why}")
    return library.functions()
