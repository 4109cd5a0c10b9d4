from __future__ import annotations

import numpy as np
import pytest
import torch

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.default_plugins.classification_metrics import accuracy, auroc, f1
from ftcore.engine import replicates as module
from ftcore.engine.replicates import replicates
from ftcore.interfaces import DataBundle, Metric, Statistics
from ftcore.resampling import draws

TASK = ClassificationTask()


def evaluated(seed: int, count: int = 60) -> Statistics:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, 3, generator=generator)
    bundle = DataBundle("", "classification", {}, ("a", "b", "c"))
    statistics = TASK.statistics(bundle, ["scores"])
    TASK.update_(statistics, logits, torch.arange(count) % 3)
    return statistics


@pytest.mark.parametrize("metric", [accuracy(), f1(), auroc()], ids=lambda metric: metric.name)
def test_each_replicate_is_the_metric_of_the_drawn_examples(
    metric: Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HELD", 200)  # a few at a time
    runs = [evaluated(seed) for seed in (0, 1)]
    found = replicates(TASK, [metric, accuracy()], runs, count=7, seed=3)[metric.name]
    weights = torch.from_numpy(draws(60, 7, 3))
    for run, values in zip(runs, found, strict=True):
        expected = metric.compute(TASK.reweigh(run, metric.needs, weights))
        assert np.allclose(values, torch.as_tensor(expected).numpy(), rtol=1e-12)


def test_runs_share_their_draws() -> None:
    run = evaluated(0)
    first, second = replicates(TASK, [accuracy()], [run, run], count=50)["accuracy"]
    assert (first == second).all()
    assert len(set(first.tolist())) > 1
