"""How deep to freeze mobilenet_v2 on real data, and what --freeze auto makes of it beside.

FTCORE_TEST_DATA names the folder of datasets and weights. What is in benchmarks/results/depth.json
is not run again; the table in docs/results.md is written anew.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import ftcore
from benchmarks.results_on_real_data import DATASETS, PAGE, WEIGHTS
from benchmarks.tables import fill
from ftcore import api
from ftcore.record import DepthRecord, StudyRecord

RESULTS = Path(__file__).parent / "results" / "depth.json"
START, END = "<!-- table of depth.json -->", "<!-- end of depth.json -->"

BACKBONE = "mobilenet_v2"
DEPTHS = "0,3,5,7,8,all"
# The default rate is 0.01 for a head alone and 0.0001 else, which a few epochs show at once.
SWEEPS: list[tuple[str, dict[str, Any]]] = [
    ("flowers", {"image_size": 64, "epochs": 4}),
    ("flowers", {"image_size": 64, "epochs": 4, "lr": 0.001}),
    ("hymenoptera", {"image_size": 96, "epochs": 6, "lr": 0.001}),
]
COMMON = {"layout": "channels_last", "seeds": 3}


def sweep(dataset: str, chosen: dict[str, Any], data: Path) -> dict[str, Any]:
    """Run the depths, then auto with the same seeds, and hold it against the best depth."""
    options = {
        "backbone": BACKBONE,
        "weights": str(data / "weights" / WEIGHTS[BACKBONE]),
        "dataset": DATASETS[dataset].format(data=data),
        **chosen,
        **COMMON,
    }
    with tempfile.TemporaryDirectory() as out:
        wall, processor = time.perf_counter(), time.process_time()
        depth = ftcore.depth(depths=DEPTHS, out=out, **options)
        auto = ftcore.study(freeze="auto", out=out, **options)
        seconds = time.perf_counter() - wall, time.process_time() - processor
        beside = against_best(depth, auto)
        plans = plans_of(auto)
    return {
        "dataset": dataset,
        "options": {**chosen, **COMMON},
        "depth": without_paths(depth.model_dump(mode="json")),
        "auto": without_paths(auto.model_dump(mode="json")),
        "auto_against_best": beside,
        "auto_plans": plans,
        "wall_seconds": seconds[0],
        "processor_seconds": seconds[1],
        "threads": depth.study.environment["threads"],
    }


def against_best(depth: DepthRecord, auto: StudyRecord) -> dict[str, Any]:
    """Compare auto with all depths at once; return its pair with the best of them."""
    record = api.compare(auto.directory, depth.study.directory, metric=["accuracy"])
    assert depth.recommendation is not None
    best = depth.recommendation.best
    pair = next(pair for pair in record.pairs if pair.name == best)
    return pair.model_dump(mode="json")


def plans_of(auto: StudyRecord) -> list[dict[str, Any]]:
    """Return what auto chose with each seed, stage by stage."""
    plans = []
    for member in auto.cells[0].runs:
        record = json.loads(
            (Path(auto.directory) / "runs" / member.name / "record.json").read_text()
        )
        stages = [stage for stage in record["freeze"]["stages"] if stage["reason"]]
        plans.append({stage["name"]: stage["reason"] for stage in stages})
    return plans


def without_paths(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record without the folders of the machine that it was made on."""
    for part in (record, record.get("study", {})):
        part.pop("directory", None)
        part.pop("config", None)
    return record


def table(results: list[dict[str, Any]]) -> str:
    lines = [
        "| dataset | freeze | trained | accuracy, mean of 3 seeds | 95 % interval | to the best "
        "| verdict | operations an epoch | seconds a run |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        rate = result["options"].get("lr", "default")
        name = f"{result['dataset']}, rate {rate}"
        lines += [_row(name, point, result) for point in result["depth"]["curve"]]
        lines.append(_auto_row(name, result))
    return "\n".join(lines) + "\n"


def _row(name: str, point: dict[str, Any], result: dict[str, Any]) -> str:
    recommended = result["depth"]["recommendation"]["freeze"] == point["freeze"]
    words = point["verdict"].replace("no difference shown", "not shown worse")
    cells = [
        name,
        f"`{point['freeze']}`",
        f"{point['trained']:,}",
        f"{point['value']:.3f}",
        _interval(point["low"], point["high"]),
        "" if point["difference"] is None else f"{point['difference']:+.3f}",
        f"**{words}, recommended**" if recommended else words,
        f"{point['flops'] / 1e9:.3g} G",
        f"{point['seconds']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _auto_row(name: str, result: dict[str, Any]) -> str:
    (cell,) = result["auto"]["cells"]
    score = cell["metrics"]["accuracy"]
    found = result["auto_against_best"]["differences"][0]
    verdict = {"better": "worse", "worse": "better"}.get(found["verdict"], "not shown worse")
    runs = cell["runs"]
    cells = [
        name,
        "`auto`",
        f"{cell['trained']:,}",
        f"{score['value']:.3f}",
        _interval(score["low"], score["high"]),
        f"{-found['difference']:+.3f}",
        verdict,
        "",
        f"{sum(run['seconds'] for run in runs) / len(runs):.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def main() -> None:
    data = Path(os.environ["FTCORE_TEST_DATA"])
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = [(result["dataset"], result["options"]) for result in results]
    for dataset, chosen in SWEEPS:
        if (dataset, {**chosen, **COMMON}) in done:
            continue
        results.append(sweep(dataset, chosen, data))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        last = results[-1]
        print(dataset, last["wall_seconds"], last["processor_seconds"], flush=True)
    fill(PAGE, START, END, table(results))


if __name__ == "__main__":
    main()
