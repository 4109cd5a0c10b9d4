"""Stopped or killed at random moments, a resumed run ends with the same bytes.

The attack itself is benchmarks/attack_resume.py; here it runs small.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ATTACK = Path(__file__).parents[2] / "benchmarks" / "attack_resume.py"


def test_every_resumed_run_ends_with_the_same_bytes() -> None:
    command = [sys.executable, str(ATTACK), "--points", "5"]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    counts = json.loads(result.stdout)
    assert counts["same bytes"] == counts["points"] == 5
    assert counts["stops"], "no signal came while a run was going on, so this shows nothing"
    assert result.returncode == 0
