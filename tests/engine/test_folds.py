from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ftcore.engine.folds import assign_folds, read_groups
from ftcore.errors import DataError


def test_strata_are_spread_evenly_over_folds_of_even_size() -> None:
    strata = np.repeat(np.arange(3), [50, 23, 12])
    place = assign_folds(strata, 5, seed=0)
    for stratum in range(3):
        sizes = np.bincount(place[strata == stratum], minlength=5)
        assert np.ptp(sizes) <= 1, sizes
    assert np.ptp(np.bincount(place)) <= 1


def test_folds_depend_on_the_seed_alone() -> None:
    strata = np.arange(60) % 3
    first, again, other = (assign_folds(strata, 5, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_a_stratum_with_fewer_examples_than_folds_is_refused() -> None:
    with pytest.raises(ValueError, match="stratum 1 has 4 examples"):
        assign_folds(np.array([0] * 10 + [1] * 4), 5, seed=0)


def test_groups_stay_whole_and_folds_alike() -> None:
    generator = np.random.default_rng(0)
    groups = generator.integers(40, size=600)
    strata = generator.integers(2, size=600)
    place = assign_folds(strata, 4, seed=0, groups=groups)
    for group in np.unique(groups):
        assert len(np.unique(place[groups == group])) == 1
    sizes = np.bincount(place, minlength=4)
    assert sizes.max() < 1.2 * sizes.min(), sizes
    shares = [strata[place == fold].mean() for fold in range(4)]
    assert np.ptp(shares) < 0.1, shares


def test_no_fold_is_empty_with_as_many_groups_as_folds() -> None:
    groups = np.repeat(np.arange(3), [90, 5, 5])
    place = assign_folds(np.zeros(100, dtype=np.int64), 3, seed=0, groups=groups)
    assert sorted(np.unique(place)) == [0, 1, 2]


def test_groups_of_a_pattern_and_of_a_table(tmp_path: Path) -> None:
    ids = ["7_jackson_0.wav", "7_theo_1.wav"]
    assert read_groups("_([a-z]+)_", ids) == ["jackson", "theo"]
    assert read_groups("[a-z]+", ids) == ["jackson", "theo"]
    table = tmp_path / "groups.csv"
    table.write_text("id,group\n7_jackson_0.wav,a\n7_theo_1.wav,b\n")
    assert read_groups(str(table), ids) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,speaker\n1,a\n", "columns id and group"),
        ("", "columns id and group"),
        ("id,group\none,a\n", "no group for the example 'two'"),
        ("id,group\none,a\ntwo,\n", "no group for the example 'two'"),
    ],
)
def test_a_table_without_a_group_is_refused(tmp_path: Path, text: str, words: str) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(DataError, match=words):
        read_groups(str(table), ["one", "two"])


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read the groups in .*missing\.csv"):
        read_groups(str(tmp_path / "missing.csv"), ["one"])
