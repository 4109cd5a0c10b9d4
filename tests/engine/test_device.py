from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from ftcore.engine.device import free_memory, has_native_bf16


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


def test_native_bf16_is_what_the_processor_lists() -> None:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        pytest.skip("no /proc/cpuinfo to compare with")
    flags = set(info.read_text(encoding="utf-8").split())
    expected = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    assert has_native_bf16(torch.device("cpu")) == expected


def test_other_devices_have_no_native_bf16_that_is_known() -> None:
    assert not has_native_bf16(torch.device("meta"))
