from __future__ import annotations

import os

import pytest

from ftcore.engine.device import free_memory


def test_free_memory_is_what_the_system_says() -> None:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 2**20 < free_memory() <= total


def refuse(name: str) -> int:
    raise ValueError("unrecognized configuration name")


def test_a_system_that_does_not_say_gets_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", refuse)
    assert free_memory() == 4 * 2**30
    monkeypatch.delattr(os, "sysconf")
    assert free_memory() == 4 * 2**30
