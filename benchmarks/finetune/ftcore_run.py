"""ftcore: one call, with an empty cache of features or with one that another run has filled."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

import ftcore
from benchmarks.finetune.job import Fit, Job

Precision: TypeAlias = Literal["fp32", "bf16"]


def prepare(job: Job) -> Fit:
    """Run with an empty cache."""
    return _first(job, "fp32")


def prepare_bf16(job: Job) -> Fit:
    """Run with an empty cache, in bfloat16."""
    return _first(job, "bf16")


def prepare_again(job: Job) -> Fit:
    """Run where the features are kept already."""
    return _again(job, "fp32")


def prepare_bf16_again(job: Job) -> Fit:
    """Run where the features of bfloat16 are kept already."""
    return _again(job, "bf16")


def _first(job: Job, precision: Precision) -> Fit:
    cache = job.scratch / f"empty-{precision}"
    shutil.rmtree(cache, ignore_errors=True)
    return lambda: _run(job, precision, cache)


def _again(job: Job, precision: Precision) -> Fit:
    cache = job.scratch / f"filled-{precision}"
    if not cache.is_dir():
        _run(job, precision, cache)
    return lambda: _run(job, precision, cache)


def _run(job: Job, precision: Precision, cache: Path) -> float:
    before = os.environ.get("FTCORE_CACHE_DIR")
    os.environ["FTCORE_CACHE_DIR"] = str(cache)
    try:
        with tempfile.TemporaryDirectory(dir=job.scratch) as out:
            record = ftcore.run(
                backbone=job.arch,
                weights=str(job.weights),
                freeze="bottom",
                dataset=f"folder:path={job.folder}",
                image_size=job.size,
                epochs=job.epochs,
                batch_size=job.batch,
                lr=job.rate,
                weight_decay=job.weight_decay,
                schedule=job.schedule,
                precision=precision,
                seed=job.seed,
                baselines="none",  # which the other tools do not make either
                out=out,
            )
    finally:
        del os.environ["FTCORE_CACHE_DIR"]
        if before is not None:
            os.environ["FTCORE_CACHE_DIR"] = before
    accuracy = record.metrics["accuracy"].value
    assert accuracy is not None
    return accuracy
