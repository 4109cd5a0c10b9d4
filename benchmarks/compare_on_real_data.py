"""Does `ftcore compare` refuse false differences and find true ones, on real data?

On the five flower kinds (real photographs, 250 test images, converted ImageNet weights of
mobilenet_v2): 1,000 seeds of one configuration make 200 runs with their four other heads, and 100
pairs of runs, whose true difference is none. Each pair is judged as two runs are, and once more
from one seed each. Then the bottom frozen is held against all trained,
three seeds each, and against a backbone whose weights are random.

    FTCORE_TEST_DATA=... python -m benchmarks.compare_on_real_data
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import ftcore
from benchmarks.measurement import host
from ftcore.record import ComparisonRecord, StudyRecord
from ftcore.studies.candidates import Candidate, read_candidates
from ftcore.studies.comparison import compare

SEEDS, HEADS = 1000, 5  # a run trains four more heads, with other seeds
GROUP = 3


def options(data: Path, out: Path) -> dict[str, Any]:
    weights = next((data / "weights" / "imagenet").glob("mobilenet_v2*"))
    return {
        "backbone": "mobilenet_v2",
        "weights": str(weights),
        "dataset": f"folder:path={data / 'flowers-thumbs'}",
        "image_size": 128,
        "metric": ["accuracy", "f1_macro", "nll"],
        "out": out,
    }


def judge(first: Candidate, second: Candidate) -> ComparisonRecord:
    from ftcore.default_plugins.classification.task import ClassificationTask
    from ftcore.default_plugins.classification_metrics import accuracy, f1

    return compare([first, second], ClassificationTask(), [accuracy(), f1()])


def shown(records: list[ComparisonRecord], metric: int) -> int:
    verdicts = [record.pairs[0].differences[metric].verdict for record in records]
    return Counter(verdicts)["no difference shown"]


def refuse_false(data: Path, out: Path) -> dict[str, Any]:
    record = ftcore.study(**options(data, out), freeze="bottom", epochs=10, seeds=SEEDS)
    (whole,) = read_candidates(Path(record.directory))
    groups = [
        Candidate(f"seed {start}", whole.runs[start : start + HEADS], is_run=True)
        for start in range(0, SEEDS, HEADS)
    ]
    alone = [Candidate(each.name, each.runs[:1]) for each in groups]
    pairs = [judge(*groups[index : index + 2]) for index in range(0, len(groups), 2)]
    models = [judge(*alone[index : index + 2]) for index in range(0, len(alone), 2)]
    score = record.cells[0].metrics["accuracy"]
    return {
        "pairs": len(pairs),
        "no difference shown, accuracy": shown(pairs, 0),
        "no difference shown, macro-F1": shown(pairs, 1),
        "without other seeds: no difference shown, accuracy": shown(models, 0),
        "without other seeds: no difference shown, macro-F1": shown(models, 1),
        "accuracy": [score.value, score.low, score.high],
        "spread": score.spread.model_dump(),
        "seconds": record.timings,
    }


def find_true(data: Path, out: Path) -> dict[str, Any]:
    shared = options(data, out) | {"seeds": GROUP, "epochs": 5}
    depth = ftcore.study(**shared, freeze=["bottom", "none"])
    weights = ftcore.study(**shared | {"weights": [shared["weights"], "none"]}, freeze="bottom")
    return {"bottom or none": _told(depth), "pretrained or random": _told(weights)}


def _told(record: StudyRecord) -> dict[str, Any]:
    assert record.comparison is not None
    found = record.comparison.pairs[0]
    cells = {cell.label: cell.metrics["accuracy"].values for cell in record.cells}
    return {
        "best": found.reference.rpartition("/")[2],
        "other": found.name.rpartition("/")[2],
        "accuracy": {label.rpartition("/")[2]: values for label, values in cells.items()},
        "difference": found.differences[0].model_dump(),
        "seconds": record.timings,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/compare.json"))
    arguments = parser.parse_args()
    data, started = Path(os.environ["FTCORE_TEST_DATA"]), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        results: dict[str, Any] = {"host": host(), "false": refuse_false(data, Path(folder))}
        print(json.dumps(results["false"], indent=1), flush=True)
        results["true"] = find_true(data, Path(folder))
    results["seconds"] = time.perf_counter() - started
    print(json.dumps(results["true"], indent=1))
    arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
