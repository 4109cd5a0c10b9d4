from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.studies.workshop import make_study


def test_folds_have_the_corrected_interval_around_the_mean_of_their_means(tmp_path: Path) -> None:
    from scipy import stats

    record, _ = make_study(tmp_path, folds=4, seeds=2, freeze="bottom")
    score = record.cells[0].metrics["nll"]
    means = np.array(score.values, dtype=np.float64).mean(axis=1)
    error = np.sqrt(means.var(ddof=1) * (1 / 4 + 1 / 3))
    reach = stats.t.ppf(0.975, 3) * error
    assert score.value == pytest.approx(means.mean())
    assert score.low == pytest.approx(means.mean() - reach)
    assert score.high == pytest.approx(means.mean() + reach)
    assert score.n == 75  # train and val; the own test part stays out
    assert "4 folds" in score.method
    assert score.spread.seed is not None
    assert score.spread.fold is not None


def test_one_run_keeps_its_own_interval(tmp_path: Path) -> None:
    record, directory = make_study(tmp_path, freeze="bottom")
    score = record.cells[0].metrics["accuracy"]
    own = directory.path / "runs" / record.cells[0].runs[0].name / "record.json"
    assert f'"low": {score.low}' in own.read_text()
    assert score.method == "Wilson score"
    assert (score.spread.seed, score.spread.fold) == (None, None)


def test_seeds_and_test_examples_both_widen_the_interval(tmp_path: Path) -> None:
    record, _ = make_study(tmp_path, seeds=3, freeze="bottom")
    score = record.cells[0].metrics["nll"]
    assert score.low is not None
    assert score.low < (score.value or 0) < (score.high or 0)
    assert score.spread.fold is None
