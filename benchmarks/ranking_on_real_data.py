"""Rank pretrained backbones on real data, fine-tune them all, and write a part of docs/results.md.

The folder of datasets and weights is that of the tests marked shared_data, FTCORE_TEST_DATA names
it; ftcore-cifar-resnet has to be installed. Nothing is found in a cache: the seconds are of a first
time. `--page` writes the page anew from what was measured.

    OMP_NUM_THREADS=1 FTCORE_TEST_DATA=DATA python -m benchmarks.ranking_on_real_data
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import ftcore
from benchmarks.measurement import host
from benchmarks.tables import RESULTS, ROOT, fill, load, machine, table
from ftcore.record import RankedBackbone, RankingRecord

PAGE = ROOT / "docs" / "results.md"
START, END = "<!-- tables of ranking.json -->", "<!-- end of ranking -->"

WEIGHTS = {
    "mobilenet_v2": "imagenet/mobilenet_v2_tf2ptq-0742dba5.pth",
    "squeezenet1_0": "imagenet/squeezenet1_0_deepcomp-bd6a2a64.pth",
    "resnet20": "cifar10-resnet/resnet20-12fca82f.th",
    "resnet32": "cifar10-resnet/resnet32-d509ac18.th",
    "resnet44": "cifar10-resnet/resnet44-014dd654.th",
    "resnet56": "cifar10-resnet/resnet56-4bfd9763.th",
    "shufflenet_v2_x1_0": "",  # random
}
DATASETS: dict[str, dict[str, Any]] = {
    "hymenoptera": {"dataset": "folder:path={data}/hymenoptera/hymenoptera_data"},
    "flowers": {"dataset": "folder:path={data}/flowers-thumbs"},
    "cifar10-4k": {
        "dataset": "cifar10:root={data}/cifar10-subset/cifar-10-batches-py-subset,checksum=false",
        "limit": 2000,
    },
}
SCORES = {
    "logme": "LogME",
    "knn": "5-NN",
    "regularized_h_score": "H, regularised",
    "h_score": "H",
    "transrate": "TransRate",
    "leep": "LEEP",
    "nce": "NCE",
}


def options(name: str, data: Path) -> dict[str, Any]:
    """Return the options of `ftcore rank` for a dataset."""
    chosen = DATASETS[name]
    return {
        **chosen,
        "dataset": chosen["dataset"].format(data=data),
        "backbones": [",".join(WEIGHTS)],
        "weights": [
            f"{backbone}={data / 'weights' / file}" if file else f"{backbone}=none"
            for backbone, file in WEIGHTS.items()
        ],
        "verify": "all",
        "seeds": 3,
        "freeze": "bottom",
        "save": "nothing",
    }


def measure(name: str, data: Path) -> dict[str, Any]:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FTCORE_CACHE_DIR"] = f"{folder}/cache"
        record = ftcore.rank(out=Path(folder) / "runs", **options(name, data))
        seconds = time.perf_counter() - start
        text = record.model_dump_json().replace(folder, "OUT").replace(str(data), "DATA")
    return {"dataset": name, "seconds": seconds, "record": json.loads(text)}


def page(content: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    parts = [machine({**content, "rounds": 1}).replace("; 1 rounds", "")]
    for row in content["rows"]:
        record = RankingRecord.model_validate(row["record"])
        timings = record.timings
        parts.append(
            f"\n### {row['dataset']}: {record.examples:,} training examples, "
            f"{len(record.classes)} classes\n\n{scores(record)}\n{correlations(record)}\n"
            f"Ranking took {timings['ranking']:.0f} s, "
            f"fine-tuning {timings['verification']:.0f} s.\n"
        )
    return "".join(parts)


def scores(record: RankingRecord) -> str:
    assert record.verification is not None
    verified = {each.name: each for each in record.verification.backbones}
    rows = []
    for each in record.backbones:
        found = verified[each.name]
        assert found.test is not None
        name = f"**{each.name}**" if found.is_chosen else each.name
        rows.append(
            [
                name + (" \\*" if each.is_undominated else ""),
                *(number(each.scores[score]) for score in SCORES),
                *costs(each),
                number(found.val),
                f"{number(found.test.value)} ({number(found.test.low)} to "
                f"{number(found.test.high)})",
            ]
        )
    head = ["backbone", *SCORES.values(), "ms", "MFLOPs", "params", "s", "val", "test (95 %)"]
    return table(head, rows)


def costs(each: RankedBackbone) -> list[str]:
    assert each.cost is not None
    return [
        f"{1e3 * each.cost.one.seconds:.1f}",
        f"{each.cost.flops / 1e6:.0f}",
        f"{each.cost.parameters / 1e6:.2f} M",
        f"{sum(each.seconds.values()):.1f}",
    ]


def correlations(record: RankingRecord) -> str:
    assert record.verification is not None
    rows = [
        [
            SCORES[each.score],
            str(each.n),
            number(each.tau, 2),
            number(each.p, 3),
            number(each.weighted_tau, 2),
        ]
        for each in record.verification.correlations
        if each.part == "test"
    ]
    return table(["score", "backbones", "tau", "p", "weighted tau"], rows)


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def write_page(content: dict[str, Any]) -> None:
    fill(PAGE, START, END, f"{page(content)}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="measure nothing")
    if not parser.parse_args().page:
        data = Path(os.environ["FTCORE_TEST_DATA"]).resolve()
        rows = []
        for name in DATASETS:
            rows.append(measure(name, data))
            print(name, f"{rows[-1]['seconds']:.0f} s", flush=True)
        content = {"host": host(("torch", "torchvision", "numpy")), "rows": rows}
        path = RESULTS / "ranking.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    write_page(load("ranking.json"))


if __name__ == "__main__":
    main()
