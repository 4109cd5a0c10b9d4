from __future__ import annotations

import pytest

from ftcore.config import BASELINES, RunConfig
from ftcore.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("auto", BASELINES),
        ("none", ()),
        ("majority", ("majority",)),
        ("scratch, knn,knn", ("knn", "scratch")),
    ],
)
def test_baselines_are_all_none_or_some(given: str, names: tuple[str, ...]) -> None:
    assert RunConfig.parse({"baselines": given}).baseline_names == names


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("kmn", "unknown baseline 'kmn'; did you mean 'knn'?"),
        ("svm", "unknown baseline 'svm'; known: majority, knn, probe, scratch"),
        ("auto,knn", "unknown baseline 'auto'"),
        ("", "unknown baseline ''"),
    ],
)
def test_an_unknown_baseline_is_refused(given: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        RunConfig.parse({"baselines": given}, "the test")
    assert sentence in str(refused.value)
