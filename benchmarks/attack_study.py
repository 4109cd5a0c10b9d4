"""Kill a study at random moments with SIGKILL, and see that nothing finished is lost.

Half of the studies train heads on shared features, half train the whole network. A run that was
complete when the study was killed must have the same bytes, and the same time of change, at the
end; and the record of the study must be that of one that was never killed, times apart. Prints
JSON and exits 1 otherwise. Random weights, images of noise.

    python -m benchmarks.attack_study --kills 20
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.attack_resume import in_child, make_photos

SEEDS = 6


def command(photos: Path, folder: Path, freeze: str) -> list[str]:
    """What starts the study in `folder`, or goes on with the one that is there."""
    for study in folder.iterdir() if folder.exists() else ():
        return ["study", "--resume", str(study), "-q"]
    options = ["--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--freeze", freeze]
    options += ["--image-size", "32", "--dataset", f"folder:path={photos}", "--lr", "0.01"]
    options += ["--epochs", "2", "--batch-size", "8", "--seeds", str(SEEDS), "--out", str(folder)]
    return ["study", *options, "-q"]


def finished(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """The manifests of complete runs: when they were written, and what they list."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.glob("*/runs/*/MANIFEST.sha256")
    }


def scores(folder: Path) -> Any:
    (path,) = folder.glob("*/record.json")
    return [cell["metrics"] for cell in json.loads(path.read_text())["cells"]]


def attack(kills: int, folder: Path) -> dict[str, Any]:
    photos = folder / "photos"
    make_photos(photos)
    chance, lost, other, killed, kept = random.Random(0), 0, 0, 0, 0
    for freeze in ("bottom", "none"):
        begin = time.monotonic()
        whole = folder / f"whole-{freeze}"
        assert in_child(command(photos, whole, freeze), 900, signal.SIGKILL) == 0
        duration, study = time.monotonic() - begin, folder / f"killed-{freeze}"
        goal = killed + kills // 2
        while killed < goal:
            before = finished(study)
            after = chance.uniform(0.1, 0.7) * duration
            code = in_child(command(photos, study, freeze), after, signal.SIGKILL)
            now = finished(study)
            lost += sum(now.get(path) != content for path, content in before.items())
            kept += len(before)
            killed += code == -signal.SIGKILL
            if code == 0:  # it came to its end first: begin another one
                other += scores(study) != scores(whole)
                study = study.with_name(study.name + "x")
        while (code := in_child(command(photos, study, freeze), 900, signal.SIGKILL)) != 0:
            assert code == -signal.SIGKILL, code
        other += scores(study) != scores(whole)
    return {"killed": killed, "finished runs met": kept, "lost": lost, "other results": other}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = attack(arguments.kills, Path(folder))
    print(json.dumps(found))
    return int(bool(found["lost"] or found["other results"]))


if __name__ == "__main__":
    sys.exit(main())
