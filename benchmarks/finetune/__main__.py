"""One contestant does the job, alone in a process; prints its accuracy and the peak of its memory.

python -m benchmarks.finetune CONTESTANT FOLDER WEIGHTS EPOCHS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.finetune.contestants import CONTESTANTS
from benchmarks.finetune.job import Job
from benchmarks.measurement import peak_mib


def main() -> None:
    name, folder, weights, epochs = sys.argv[1:]
    accuracy = CONTESTANTS[name].prepare(Job(Path(folder), Path(weights), int(epochs)))()
    print(json.dumps({"accuracy": accuracy, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
