"""One contestant does the job, alone in a process; prints its accuracy and the peak of its memory.

python -m benchmarks.finetune CONTESTANT FOLDER WEIGHTS EPOCHS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.finetune.contestants import CONTESTANTS
from benchmarks.finetune.job import Job


def main() -> None:
    name, folder, weights, epochs = sys.argv[1:]
    accuracy = CONTESTANTS[name].prepare(Job(Path(folder), Path(weights), int(epochs)))()
    print(json.dumps({"accuracy": accuracy, "peak_mib": peak_mib()}))


def peak_mib() -> float:
    """Return the largest resident set of this process.

    ru_maxrss would not do: it is at least that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main()
