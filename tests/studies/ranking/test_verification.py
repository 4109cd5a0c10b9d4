from __future__ import annotations

import pytest

from ftcore.record import MetricValue, RankedBackbone, VerificationRecord, VerifiedRun
from ftcore.studies.ranking.verification import verify


def make_run(
    seed: int, val: float, test: float, *, up: bool = True, loss: float = 1
) -> VerifiedRun:
    metric = MetricValue(
        value=test, low=test - 0.1, high=test + 0.2, n=50, method="Wilson", higher_is_better=up
    )
    return VerifiedRun(seed=seed, val=val, val_loss=loss, test=metric, seconds=1.0)


def ranked(**scores: float | None) -> list[RankedBackbone]:
    return [RankedBackbone(name=name, scores={"logme": score}) for name, score in scores.items()]


def check(values: dict[str, list[VerifiedRun]], **scores: float | None) -> VerificationRecord:
    return verify(ranked(**scores), values, "accuracy", 3.0)


def test_seeds_are_averaged_and_the_val_part_chooses() -> None:
    result = check(
        {
            "a": [make_run(0, 0.7, 0.9), make_run(1, 0.9, 0.8)],
            "b": [make_run(0, 0.9, 0.6), make_run(1, 0.8, 0.7)],
        },
        a=1.0,
        b=2.0,
    )
    a, b = result.backbones
    assert (a.val, b.val) == pytest.approx((0.8, 0.85))
    assert b.is_chosen  # though a is the better one on the test part
    assert not a.is_chosen
    assert a.test is not None
    assert (a.test.value, a.test.low, a.test.high) == pytest.approx((0.85, 0.75, 1.05))
    assert a.test.method == "Wilson, its ends averaged over 2 seeds"
    assert {each.part: each.tau for each in result.correlations} == {"val": 1.0, "test": -1.0}


def test_the_lower_loss_breaks_a_tie() -> None:
    runs = {"a": [make_run(0, 0.9, 0.5, loss=0.4)], "b": [make_run(0, 0.9, 0.5, loss=0.3)]}
    assert [each.is_chosen for each in check(runs, a=1.0, b=2.0).backbones] == [False, True]


def test_where_lower_is_better_the_lowest_is_chosen_and_correlates() -> None:
    runs = {
        name: [make_run(0, value, value, up=False)]
        for name, value in {"a": 0.5, "b": 0.4, "c": 0.3}.items()
    }
    result = check(runs, a=1.0, b=2.0, c=3.0)
    assert [each.is_chosen for each in result.backbones] == [False, False, True]
    assert all(each.tau == 1.0 for each in result.correlations)
    assert all(each.p == pytest.approx(1 / 3) for each in result.correlations)


def test_a_failed_run_leaves_its_backbone_without_a_value() -> None:
    failed = VerifiedRun(seed=1, failure="out of memory")
    runs = {"a": [make_run(0, 0.9, 0.9), failed], "b": [make_run(0, 0.1, 0.1)] * 2}
    result = check(runs, a=1.0, b=2.0)
    assert result.backbones[0].val is None
    assert result.backbones[0].test is None
    assert result.backbones[1].is_chosen
    assert all(each.n == 1 and each.tau is None for each in result.correlations)


def test_a_score_that_some_lack_is_compared_on_the_others() -> None:
    runs = {name: [make_run(0, value, value)] for name, value in {"a": 0.5, "b": 0.4}.items()}
    result = check(runs, a=1.0, b=None)
    assert all(each.n == 1 for each in result.correlations)


@pytest.mark.parametrize(("count", "words"), [(1, "two backbones"), (4, "p = 0.083"), (10, "")])
def test_few_backbones_come_with_a_caution(count: int, words: str) -> None:
    runs = {f"net{i}": [make_run(0, i / 20, i / 20)] for i in range(count)}
    caution = check(runs, **{f"net{i}": float(i) for i in range(count)}).caution
    assert words in caution
    assert bool(caution) == bool(words)
