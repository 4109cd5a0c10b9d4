from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from ftcore import DataError, Statistics, ops
from ftcore.default_plugins.classification import cells, levels
from ftcore.default_plugins.classification.resampling import resample, reweigh
from ftcore.default_plugins.classification.statistics import ClassificationStatistics
from tests.default_plugins.classification.data import batch

BY_CLASS = ("n", "support", "predicted", "correct", "confusion")
BY_ROW = (
    *BY_CLASS,
    "rank",
    "nll",
    "brier",
    "entropy",
    "bin_count",
    "bin_correct",
    "bin_confidence",
)


def statistics_of(
    logits: Tensor, targets: Tensor, *, confusion: bool = True, with_scores: bool = False
) -> ClassificationStatistics:
    layout = ops.ClassificationLayout(logits.size(-1), confusion=confusion)
    statistics = ClassificationStatistics(layout, with_scores)
    statistics.add_(logits, targets)
    return statistics


def draw(statistics: Statistics, needs: tuple[str, ...], count: int = 200) -> Statistics:
    return resample(statistics, needs, count, np.random.default_rng(0))


@pytest.mark.parametrize("needs", [BY_CLASS, ("n", "rank"), BY_ROW], ids=len)
def test_replicates_have_the_shape_and_type_of_the_fields(needs: tuple[str, ...]) -> None:
    statistics = statistics_of(*batch(60, 4))
    drawn = draw(statistics, needs, count=7)
    assert drawn.fields.keys() == set(needs)
    for name, field in drawn.fields.items():
        assert field.shape == (7, *statistics.fields[name].shape), name
        assert field.dtype == statistics.fields[name].dtype, name


@pytest.mark.parametrize("needs", [BY_CLASS, BY_ROW], ids=["pairs", "rows"])
def test_fields_of_a_replicate_fit_each_other(needs: tuple[str, ...]) -> None:
    fields = draw(statistics_of(*batch(60, 4)), needs).fields
    assert (fields["n"] == 60).all()
    assert torch.equal(fields["support"], fields["confusion"].sum(-1))
    assert torch.equal(fields["predicted"], fields["confusion"].sum(-2))
    assert torch.equal(fields["correct"], fields["confusion"].diagonal(dim1=-2, dim2=-1))
    if "rank" in fields:
        assert torch.equal(fields["rank"][:, 0], fields["correct"].sum(-1))
        assert torch.equal(fields["bin_correct"].sum(-1), fields["correct"].sum(-1))
        assert (fields["bin_count"].sum(-1) == 60).all()


def test_one_example_is_drawn_again_and_again() -> None:
    statistics = statistics_of(*batch(1, 4))
    for name, field in draw(statistics, BY_ROW, count=3).fields.items():
        assert torch.equal(field, statistics.fields[name].expand_as(field)), name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *product(("pairs", "rows"), BY_CLASS[1:]),
        *product(("pairs from rows",), ("support", "predicted", "correct")),
    ],
)
def test_every_path_draws_from_the_same_distribution(path: str, name: str) -> None:
    logits, targets = batch(80, 3)
    statistics = statistics_of(logits, targets, confusion=path != "pairs from rows")
    needs = (name, "nll") if path == "rows" else (name,)
    drawn = draw(statistics, needs, count=4000).fields[name].double().flatten(1)
    share = statistics.fields[name].double().flatten() / 80
    variance = 80 * share * (1 - share)
    bound = 5 * (variance / 4000).sqrt() + 1e-9
    assert ((drawn.mean(0) - 80 * share).abs() <= bound).all()
    torch.testing.assert_close(drawn.var(0), variance, rtol=0.15, atol=1e-9)


def test_sums_over_rows_have_the_mean_and_spread_of_a_bootstrap() -> None:
    statistics = statistics_of(*batch(80, 3))
    drawn = draw(statistics, ("nll",), count=4000).fields["nll"]
    row = statistics.rows["nll"]
    spread = row.std(correction=0) * 80**0.5
    assert abs(drawn.mean() - row.sum()) < 5 * spread / 4000**0.5
    assert drawn.std() == pytest.approx(spread.item(), rel=0.06)


def test_examples_that_were_not_scored_are_never_drawn() -> None:
    logits, targets = batch(20, 3)
    logits[:5] = torch.inf
    statistics = statistics_of(logits, targets, with_scores=True)
    drawn = draw(statistics, ("n", "nll", "non_finite", "scores"))
    assert (drawn.n == 15).all()
    assert drawn.nll.isfinite().all()
    assert (drawn.non_finite == 5).all()
    assert not drawn.rows["weight"][:, :5].any()


def test_a_row_comes_back_whole_beside_its_weights() -> None:
    statistics = statistics_of(*batch(20, 3), with_scores=True)
    drawn = draw(statistics, ("scores", "target", "nll"))
    assert torch.equal(drawn.rows["scores"], statistics.rows["scores"])
    assert torch.equal(drawn.rows["target"], statistics.rows["target"])
    weight = drawn.rows["weight"]
    assert weight.shape == (200, 20)
    torch.testing.assert_close(drawn.nll, weight.double() @ statistics.rows["nll"])


def test_nothing_scored_gives_empty_replicates() -> None:
    statistics = statistics_of(torch.full((4, 3), torch.nan), torch.zeros(4, dtype=torch.int64))
    for needs in (BY_CLASS, ("n", "rank"), BY_ROW):
        assert all(not field.any() for field in draw(statistics, needs).fields.values())


def test_counts_need_no_rows() -> None:
    whole, bare = statistics_of(*batch(60, 4)), ops.classification_statistics(*batch(60, 4))
    for needs in (BY_CLASS, ("n", "rank")):
        for name, field in draw(bare, needs).fields.items():
            assert torch.equal(field, draw(whole, needs).fields[name])
    with pytest.raises(DataError, match="keep no row for each example"):
        draw(bare, ("nll",))


@pytest.mark.parametrize("needs", [("n", "nll"), ("n", "brier", "support"), BY_ROW[-3:]], ids=str)
def test_many_examples_drawn_by_levels_vary_as_those_drawn_one_by_one(
    needs: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    statistics = statistics_of(*batch(40_000, 3))
    fast = draw(statistics, needs, count=1000).fields
    monkeypatch.setattr(levels, "MANY", 50_000)
    monkeypatch.setattr(cells, "MANY", 50_000)
    plain = draw(statistics, needs, count=300).fields
    for name in needs:
        ours, theirs = (each[name].double().reshape(len(each[name]), -1) for each in (fast, plain))
        error = (theirs.var(0) / 300 + ours.var(0) / 1000).sqrt()
        assert ((ours.mean(0) - theirs.mean(0)).abs() <= 5 * error).all(), name
        torch.testing.assert_close(ours.std(0), theirs.std(0), rtol=0.2, atol=1e-9)


@pytest.mark.parametrize("needs", [BY_CLASS, BY_ROW, ("n", "scores", "target")], ids=len)
def test_weights_count_an_example_as_often_as_they_say(needs: tuple[str, ...]) -> None:
    logits, targets = batch(40, 4)
    statistics = statistics_of(logits, targets, with_scores="scores" in needs)
    weights = np.random.default_rng(0).integers(3, size=(5, 40))
    made = reweigh(statistics, needs, weights)
    for index, weight in enumerate(weights):
        copies = torch.arange(40).repeat_interleave(torch.from_numpy(weight))
        expected = statistics_of(logits[copies], targets[copies])
        for name, field in made.fields.items():
            assert torch.allclose(field[index].double(), expected.fields[name].double()), name
    if "scores" in needs:
        assert torch.equal(made.rows["weight"], torch.from_numpy(weights))


def test_weights_of_another_number_of_examples_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(3, 7\); these statistics have 40 rows"):
        reweigh(statistics_of(*batch(40, 4)), ("n",), np.ones((3, 7), dtype=np.int64))
