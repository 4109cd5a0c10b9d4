"""Fixtures of this plugin's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads, and on a busy machine they wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and weights; tests that ask for it skip where it is absent."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("FTCORE_TEST_DATA", default))
    if not (folder / "weights" / "cifar10-resnet").is_dir():
        pytest.skip(f"no CIFAR weights in {folder}; name their folder in FTCORE_TEST_DATA")
    return folder
