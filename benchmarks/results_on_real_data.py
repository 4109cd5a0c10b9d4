"""Fine-tune on real data, with several seeds, and write the table of docs/results.md.

DATA is the folder of datasets and weights that the tests marked shared_data use. Runs that are in
benchmarks/results/real_data.json already are not repeated.

    python benchmarks/results_on_real_data.py DATA
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import ftcore

RESULTS = Path(__file__).parent / "results" / "real_data.json"

DATASETS = {
    "hymenoptera": "folder:path={data}/hymenoptera/hymenoptera_data",
    "flowers": "folder:path={data}/flowers-thumbs",
    "cifar10-4k": "cifar10:root={data}/cifar10-subset/cifar-10-batches-py-subset,checksum=false",
    "fashion-mnist": "fashion-mnist:root={data}/fashion-mnist",
}
WEIGHTS = {
    "mobilenet_v2": "imagenet/mobilenet_v2_tf2ptq-0742dba5.pth",
    "squeezenet1_0": "imagenet/squeezenet1_0_deepcomp-bd6a2a64.pth",
}


@dataclass(frozen=True)
class Case:
    """One row of the table, without its seed."""

    dataset: str
    backbone: str
    is_pretrained: bool
    freeze: str
    seeds: int
    options: dict[str, Any] = field(default_factory=dict)


def cases() -> Iterator[Case]:
    for backbone in WEIGHTS:
        for is_pretrained in (True, False):
            yield Case("hymenoptera", backbone, is_pretrained, "bottom", 3)
    for freeze in ("none", "gradual"):
        yield Case("hymenoptera", "mobilenet_v2", True, freeze, 3)
    for freeze in ("bottom", "none", "gradual"):
        yield Case("flowers", "mobilenet_v2", True, freeze, 3)
    for freeze in ("bottom", "none", "gradual"):
        yield Case("cifar10-4k", "mobilenet_v2", True, freeze, 3)
    for freeze, seeds in (("bottom", 3), ("none", 1), ("gradual", 1)):
        yield Case(
            "fashion-mnist", "mobilenet_v2", True, freeze, seeds, {"epochs": 2, "batch_size": 128}
        )


def run(case: Case, seed: int, data: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as out:
        record = ftcore.run(
            backbone=case.backbone,
            weights=str(data / "weights" / WEIGHTS[case.backbone])
            if case.is_pretrained
            else "none",
            dataset=DATASETS[case.dataset].format(data=data),
            freeze=case.freeze,
            seed=seed,
            out=out,
            **case.options,
        )
    assert record.freeze is not None
    return {
        "accuracy": record.metrics["accuracy"].model_dump(),
        "f1_macro": record.metrics["f1_macro"].model_dump(),
        "majority": record.baselines["majority class"]["accuracy"].value,
        "splits": record.counts.splits,
        "trained": record.freeze.trained,
        "changed_bytes": record.freeze.changed_bytes,
        "best_epoch": record.best_epoch,
        "lr": record.config["lr"],
        "weights": record.weights.name,
        "timings": record.timings,
        "environment": record.environment,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {json.dumps([row["case"], row["seed"]]) for row in results}
    for case in cases():
        for seed in range(case.seeds):
            if json.dumps([asdict(case), seed]) in done:
                continue
            results.append({"case": asdict(case), "seed": seed} | run(case, seed, options.data))
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
            accuracy = results[-1]["accuracy"]["value"]
            print(case, seed, accuracy, results[-1]["timings"], flush=True)


if __name__ == "__main__":
    main()
