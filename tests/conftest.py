"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation

# Tiny products are slower on two threads than on one, and much slower beside another process.
# torch reads this when it is first imported, here and in the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets and weights; tests that ask for it skip where it is absent."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FTCORE_TEST_DATA", default))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real datasets in {folder}; name their folder in FTCORE_TEST_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what fixtures of modules compute out of the user's cache as well."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FTCORE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep features out of the user's cache, and apart from those of other tests."""
    monkeypatch.setenv("FTCORE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A folder on sys.path, in which a test can install plugins."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("FTCORE_LOAD_PLUGINS", raising=False)
    return Installation(folder)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Let SIGINT interrupt, though a shell that starts tests in its background has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
