"""Killed while saving, or changed by one bit: nothing is lost and nothing passes unnoticed.

The attack itself is benchmarks/attack_storage.py; here it runs small.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ATTACK = Path(__file__).parents[2] / "benchmarks" / "attack_storage.py"


def attack(*options: str) -> dict[str, Any]:
    command = [sys.executable, str(ATTACK), *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    counts: dict[str, Any] = json.loads(result.stdout)
    return counts | {"exit code": result.returncode}


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return attack(
        "--kills", "25", "--flips", "1000", "--folder", str(tmp_path_factory.mktemp("attack"))
    )


def test_a_kill_leaves_one_whole_checkpoint(counts: dict[str, Any]) -> None:
    kills = counts["kills"]
    assert (kills["complete"], kills["unloadable"], kills["mixed"], kills["stale"]) == (25, 0, 0, 0)
    assert kills["last_step"] > 5  # the killed processes did save
    assert counts["exit code"] == 0


def test_temporary_files_of_killed_processes_can_be_removed(counts: dict[str, Any]) -> None:
    assert counts["kills"]["leftovers_after_removal"] == 0


def test_every_flipped_bit_is_noticed(counts: dict[str, Any]) -> None:
    silent = counts["flips"]["silent"]
    assert (silent["reader"], silent["manifest"]) == (0, 0)
    assert silent["plain_safetensors"] > 500  # the bits did flip


def test_the_attack_destroys_a_file_written_in_place(tmp_path: Path) -> None:
    options = ("--writer", "in-place", "--kills", "25", "--flips", "0", "--folder", str(tmp_path))
    counts = attack(*options)
    assert counts["kills"]["unloadable"] > 0
    assert counts["exit code"] == 1
