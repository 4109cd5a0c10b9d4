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

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
START, END = "<!-- table of real_data.json -->", "<!-- end of table -->"

DATASETS = {
    "hymenoptera": "folder:path={data}/hymenoptera/hymenoptera_data",
    "flowers": "folder:path={data}/flowers-thumbs",
    "cifar10-4k": "cifar10:root={data}/cifar10-subset/cifar-10-batches-py-subset,checksum=false",
    "fashion-mnist": "fashion-mnist:root={data}/fashion-mnist",
}
PIXELS = {"hymenoptera": 224, "flowers": 128}  # as chosen where the case does not say
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
    yield Case("hymenoptera", "mobilenet_v2", True, "none", 1)
    yield Case("flowers", "mobilenet_v2", True, "bottom", 3)
    for freeze, seeds in (("bottom", 3), ("gradual", 2), ("none", 2)):
        options = {"image_size": 64, "epochs": 10 if freeze == "bottom" else 5}
        yield Case("cifar10-4k", "mobilenet_v2", True, freeze, seeds, options)
    for freeze, epochs in (("bottom", 10), ("gradual", 4), ("none", 1)):
        options = {"image_size": 48, "epochs": epochs, "batch_size": 128}
        yield Case("fashion-mnist", "mobilenet_v2", True, freeze, 1, options)
    for dataset in ("flowers", "hymenoptera"):
        yield Case(dataset, "mobilenet_v2", True, "gradual", 2, {"epochs": 5})
    yield Case("flowers", "mobilenet_v2", True, "none", 2, {"epochs": 5})


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
            baselines="majority",
            out=out,
            **case.options,
        )
    assert record.freeze is not None
    assert record.weights is not None
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


def table(results: list[dict[str, Any]]) -> str:
    """Return one Markdown row for each case, its seeds together."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in results:
        groups.setdefault(json.dumps(row["case"]), []).append(row)
    lines = [
        "| dataset | train / val / test | backbone, weights | freeze | epochs | pixels "
        "| accuracy of each seed | 95 % interval, seed 0 | macro-F1, seed 0 | majority |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for rows in groups.values():
        case, first = rows[0]["case"], rows[0]
        sizes = " / ".join(f"{first['splits'][part]:,}" for part in ("train", "val", "test"))
        weights = "ImageNet" if case["is_pretrained"] else "random"
        each = ", ".join(f"{row['accuracy']['value']:.3f}" for row in rows)
        cells = [
            case["dataset"],
            sizes,
            f"{case['backbone']}, {weights}",
            case["freeze"],
            str(case["options"].get("epochs", 10)),
            str(case["options"].get("image_size", PIXELS.get(case["dataset"]))),
            each,
            f"{first['accuracy']['low']:.3f} to {first['accuracy']['high']:.3f}",
            f"{first['f1_macro']['value']:.3f}",
            f"{first['majority']:.3f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def write_table(results: list[dict[str, Any]]) -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n{table(results)}{END}{after}")


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
            write_table(results)
            print(case, seed, accuracy, results[-1]["timings"], flush=True)


if __name__ == "__main__":
    main()
