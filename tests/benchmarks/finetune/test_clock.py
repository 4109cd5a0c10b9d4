"""CPU seconds count processes that loaders start, while they live and after."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.finetune.clock import cpu_seconds, timed

BURN = """
import sys, time
while time.process_time() < 0.5: pass
print("done", flush=True)
sys.stdin.read()
"""


def test_a_child_counts_while_it_lives_and_once_when_it_is_dead() -> None:
    before = cpu_seconds()
    command = [sys.executable, "-c", BURN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        alive = cpu_seconds() - before
        child.communicate()
    dead = cpu_seconds() - before
    assert 0.45 < alive <= dead + 0.03  # /proc counts in ticks
    assert dead < 2 * alive


def test_a_call_gives_its_result_and_what_it_took() -> None:
    result, taken = timed(lambda: 42)
    assert result == 42
    assert taken.wall_s >= 0
