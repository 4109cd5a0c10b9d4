"""Score fine-tuned and published models on corrupted photographs, for docs/results.md.

FTCORE_TEST_DATA names the folder of datasets and weights that the tests marked shared_data use;
the CIFAR ResNets come from plugins/ftcore-cifar-resnet, which must be installed. Cases that are in
benchmarks/results/robustness.json already are not repeated; all take some eight minutes of a core.

    python -m benchmarks.robustness_on_real_data
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

import ftcore
from benchmarks.measurement import host
from benchmarks.tables import ROOT, fill, table
from ftcore.images.corruptions import CORRUPTIONS
from ftcore.images.corruptions.digital import compress
from ftcore.record import Record

DATA = Path(os.environ.get("FTCORE_TEST_DATA", "../shared/data"))
RESULTS = ROOT / "benchmarks" / "results" / "robustness.json"
PAGE = ROOT / "docs" / "results.md"
START, END = "<!-- table of robustness.json -->", "<!-- end of robustness.json -->"
CIFAR = DATA / "cifar10-subset"
PHOTOGRAPHS = {
    "flowers": DATA / "flowers-thumbs",
    "hymenoptera": DATA / "hymenoptera" / "hymenoptera_data",
}
MOBILENET = DATA / "weights" / "imagenet" / "mobilenet_v2_tf2ptq-0742dba5.pth"
NETS = {
    "resnet20": "resnet20-12fca82f.th",
    "resnet32": "resnet32-d509ac18.th",
    "resnet44": "resnet44-014dd654.th",
    "resnet56": "resnet56-4bfd9763.th",
}
# Errors in % of RobustBench's standard WRN-28-10 on CIFAR-10-C at severity 5, all 10,000 images.
PUBLISHED = dict(
    zip(
        CORRUPTIONS,
        (72.3, 65.7, 72.9, 46.9, 54.3, 34.8, 42.0, 25.1, 41.3, 26.0, 9.3, 46.7, 26.6, 58.5, 30.3),
        strict=True,
    )
)

Row: TypeAlias = dict[str, Any]


def published(net: str, severities: Iterable[int]) -> Row:
    """Score a published CIFAR ResNet on corrupted test images."""
    return found(
        evaluate_cifar(net, CIFAR / "test1000-png", corruptions="all", severity=severities)
    )


def evaluate_cifar(net: str, folder: Path, **options: Any) -> Record:
    weights = str(DATA / "weights" / "cifar10-resnet" / NETS[net])
    dataset = f"folder:path={folder}"
    return ftcore.evaluate(
        backbone=net, weights=weights, dataset=dataset, metric=["accuracy", "ece"], **options
    )


def fine_tuned(dataset: str) -> Row:
    """Train a head on a frozen mobilenet_v2, then score it on corrupted test images."""
    with tempfile.TemporaryDirectory() as out:
        run = ftcore.run(
            backbone="mobilenet_v2",
            weights=str(MOBILENET),
            dataset=f"folder:path={PHOTOGRAPHS[dataset]}",
            out=out,
        )
        assert run.directory is not None
        assert run.calibration is not None
        record = ftcore.evaluate(run.directory, corruptions="all", severity=[3])
    return found(record) | {"calibration": run.calibration.model_dump()}


def compressed(net: str) -> Row:
    """Score a net on our JPEG at quality 75, and on the published files of the same images."""
    plain = CIFAR / "test1000-png"
    with tempfile.TemporaryDirectory() as folder:
        for path in plain.rglob("*.png"):
            pixels = np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1)
            levels = np.rint(compress(pixels / np.float32(255), 75) * 255).astype(np.uint8)
            target = Path(folder) / path.relative_to(plain)
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(levels.transpose(1, 2, 0)).save(target)
        ours = evaluate_cifar(net, Path(folder))
    theirs = evaluate_cifar(net, CIFAR / "test1000-jpeg75")
    return {"ours": right(ours), "theirs": right(theirs)}


def right(record: Record) -> int:
    value = record.metrics["accuracy"].value
    assert value is not None
    return round(1000 * value)


def found(record: Record) -> Row:
    assert record.corruptions is not None
    return {
        "clean": record.metrics["accuracy"].model_dump(),
        "corruptions": record.corruptions.model_dump(),
        "timings": record.timings,
    }


CASES: Mapping[str, Callable[[], Row]] = {
    "flowers": partial(fine_tuned, "flowers"),
    "hymenoptera": partial(fine_tuned, "hymenoptera"),
    "resnet20": partial(published, "resnet20", (1, 2, 3, 4, 5)),
    "resnet56": partial(published, "resnet56", (5,)),
    **{f"{net}, JPEG": partial(compressed, net) for net in NETS},
}


def page(results: Mapping[str, Row]) -> str:
    """Return the tables: errors by corruption, temperatures, and JPEG."""
    models = ("resnet20", "resnet56", "flowers", "hymenoptera")
    errors = [[name, *(_error(results[model], name) for model in models)] for name in CORRUPTIONS]
    for row in errors:
        row.insert(3, f"{PUBLISHED[row[0]]:.1f}")
    lowest = [_interval(results[model]["corruptions"]["mean_corruption_error"]) for model in models]
    beyond = [
        _interval(results[model]["corruptions"]["relative_mean_corruption_error"])
        for model in models
    ]
    clean = [f"{100 * (1 - results[model]['clean']['value']):.1f}" for model in models]
    mean = f"{np.mean(list(PUBLISHED.values())):.1f}"
    head = (
        "error in %",
        "resnet20, severities 1 to 5: mean",
        "resnet56, severity 5",
        "WRN-28-10 on CIFAR-10-C, severity 5, published",
        "flowers, severity 3",
        "hymenoptera, severity 3",
    )
    last = [
        ["**mean corruption error**", *lowest[:2], mean, *lowest[2:]],
        ["without corruption", *clean[:2], "", *clean[2:]],
        ["**relative mCE**", *beyond[:2], "", *beyond[2:]],
    ]
    jpeg = [
        [net, *(str(results[f"{net}, JPEG"][key]) for key in ("ours", "theirs"))] for net in NETS
    ]
    temperatures = [[name, *_temperature(results[name]["calibration"])] for name in PHOTOGRAPHS]
    return "\n".join(
        (
            table(head, [*errors, *last]),
            table(("right of 1,000, JPEG at quality 75", "ours", "published files"), jpeg),
            table(
                ("temperature scaling", "T (val examples)", "ece", "nll", "change of nll"),
                temperatures,
            ),
        )
    )


def _error(result: Row, name: str) -> str:
    (row,) = (each for each in result["corruptions"]["corruptions"] if each["name"] == name)
    return f"{100 * (1 - row['mean']['accuracy']['value']):.1f}"


def _interval(value: Row) -> str:
    return f"{100 * value['value']:.1f} ({100 * value['low']:.1f} to {100 * value['high']:.1f})"


def _temperature(found: Row) -> list[str]:
    before, after, change = found["before"], found["after"], found["change"]["nll"]
    bound = ", a bound" if found["is_bounded"] else ""
    return [
        f"{found['temperature']:.2f} ({found['n']}{bound})",
        *(f"{before[name]['value']:.3f} → {after[name]['value']:.3f}" for name in ("ece", "nll")),
        f"{change['value']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f})",
    ]


def main() -> None:
    content = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"cases": {}}
    for name, case in CASES.items():
        if name in content["cases"]:
            continue
        start = time.perf_counter()
        content["cases"][name] = case() | {"seconds": time.perf_counter() - start}
        content["host"] = host(("torch", "ftcore", "Pillow"))
        RESULTS.write_text(json.dumps(content, indent=1) + "\n")
        print(f"{name}: {content['cases'][name]['seconds']:.0f} s", flush=True)
    fill(PAGE, START, END, page(content["cases"]))


if __name__ == "__main__":
    main()
