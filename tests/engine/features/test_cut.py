from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from ftcore.config import RunConfig
from ftcore.default_plugins.freezing import strategies
from ftcore.engine.features.cut import Cost, choose_keep, find_cuts
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.model import assemble
from ftcore.errors import ConfigError
from ftcore.interfaces import FreezingStrategy
from tests.tiny import make_backbone

GB = 10**9


@pytest.mark.parametrize(
    ("strategy", "throughout", "phases"),
    [
        (strategies.Bottom(), 4, (4,)),
        (strategies.Bottom(1), 1, (1,)),
        (strategies.Bottom("middle"), 2, (2,)),
        (strategies.NoFreezing(), 0, (0,)),
        (strategies.Norm(), 0, (0,)),
        (strategies.ProbeThenFineTune(), 0, (4, 0)),
        (strategies.ProbeThenFineTune(1), 0, (0, 0)),  # a phase of one epoch passes once
        (strategies.Gradual(2), 1, (4, 2, 1)),
        (strategies.Gradual(1), 0, (0, 0, 0, 0)),
        (strategies.Gradual(3), 2, (4, 2)),
    ],
    ids=str,
)
def test_each_phase_is_cut_where_it_is_frozen(
    strategy: FreezingStrategy, throughout: int, phases: tuple[int, ...]
) -> None:
    backbone, head = make_backbone(), nn.Linear(8, 3)
    config = RunConfig.parse({"epochs": 6})
    plan = strategy.plan(backbone, head, config.epochs)
    cuts = find_cuts(assemble(backbone, head), plan, config, is_random=False)
    assert (cuts.throughout, cuts.phases) == (throughout, phases)
    assert bool(cuts.reason) != bool(cuts.counts)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"cache": "off"}, "switched off"), ({"augment": "flip"}, "--views"), ({}, "")],
    ids=str,
)
def test_where_nothing_is_kept_the_reason_is_given(options: dict[str, str], words: str) -> None:
    backbone, head = make_backbone(), nn.Linear(8, 3)
    config = RunConfig.parse(dict(options))
    plan = strategies.Bottom().plan(backbone, head, config.epochs)
    cuts = find_cuts(assemble(backbone, head), plan, config, is_random="augment" in options)
    assert words in cuts.reason
    assert (cuts.counts == ()) == bool(words)


@pytest.mark.parametrize(
    ("asked", "cost", "kept", "words"),
    [
        # 1,000 examples, 1 kB and 20 ms each: read back in 5 ms, computed in 20 s
        ("auto", Cost(1, 1000, 0.02, 1000), "disk", "20 s"),
        ("auto", Cost(1, 1000, 0.0002, 1000), "memory", "not worth a file"),
        # 10 MB in 1 ms each: reading takes longer than computing
        ("auto", Cost(1, 10**7, 0.02, 100), "memory", "not worth a file"),
        ("auto", Cost(1, 10**7, 0.02, 1000), "off", "longer to read"),
        ("auto", Cost(1, 10**7, 0.02, 10**6), "off", "more than"),
        ("auto", Cost(1, 10**6, 0.2, 15_000), "disk", "computing"),
        ("auto", Cost(1, 10**6, 0.2, 25_000), "off", "more than"),
        ("memory", Cost(1, 10**7, 0.02, 10**6), "memory", "asked for"),
        ("disk", Cost(1, 1000, 0.0002, 1000), "disk", "asked for"),
    ],
    ids=str,
)
def test_a_byte_is_kept_where_reading_it_is_quicker_than_computing(
    asked: str,
    cost: Cost,
    kept: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ftcore.engine.features.cut.free_memory", lambda: 4 * GB)
    monkeypatch.setattr(FeatureStore, "free", lambda self: 100 * GB)
    keep, reason = choose_keep(asked, [cost], FeatureStore(tmp_path, 20 * GB))
    assert keep == kept
    assert words in reason


def test_more_than_the_limit_on_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs 2 GB.*limit of 1 GB.*FTCORE_CACHE_LIMIT"):
        choose_keep("disk", [Cost(1, 10**6, 1.0, 2000)], FeatureStore(tmp_path, GB))


def test_the_room_on_disk_is_half_of_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FeatureStore, "free", lambda self: 3 * GB)
    monkeypatch.setattr("ftcore.engine.features.cut.free_memory", lambda: 0)
    store = FeatureStore(tmp_path, 100 * GB)
    assert choose_keep("auto", [Cost(1, 10**6, 1.0, 1400)], store)[0] == "disk"
    assert choose_keep("auto", [Cost(1, 10**6, 1.0, 1600)], store)[0] == "off"
