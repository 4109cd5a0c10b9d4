from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ftcore.engine.directory import RunDirectory
from ftcore.errors import ConfigError
from tests.engine.test_run import run

KEPT: dict[str, Any] = {"freeze": "bottom", "cache": "memory"}


def test_each_repeat_is_what_a_run_with_its_seed_would_be(tmp_path: Path) -> None:
    record, path = run(tmp_path, **KEPT)
    assert [each.seed for each in record.repeats] == [1, 2, 3, 4]
    repeats = RunDirectory.open(path).repeats()
    for each in record.repeats[:2]:
        alone, other = run(tmp_path, seed=each.seed, repeats=0, **KEPT)
        for name, value in each.metrics.items():
            assert value == pytest.approx(alone.metrics[name].value, abs=1e-5), name
        theirs = RunDirectory.open(other).predictions()
        assert repeats[each.seed].ids == theirs.ids
        for name, row in repeats[each.seed].rows.items():
            assert torch.allclose(row.double(), theirs.rows[name].double(), atol=1e-4), name


def test_they_change_nothing_of_the_run(tmp_path: Path) -> None:
    (ours, path), (theirs, other) = (run(tmp_path, repeats=n, **KEPT) for n in (2, 0))
    assert ours.metrics == theirs.metrics
    assert theirs.repeats == ()
    for name in ("model.safetensors", "predictions.safetensors", "metrics.jsonl"):
        assert (path / name).read_bytes() == (other / name).read_bytes()
    assert not (other / "repeats.safetensors").exists()


@pytest.mark.parametrize(
    "options",
    [{"freeze": "none"}, {"freeze": "bottom", "cache": "off"}, {"freeze": "top:1"}],
    ids=str,
)
def test_what_is_no_head_alone_has_none(tmp_path: Path, options: dict[str, Any]) -> None:
    record, _ = run(tmp_path, **options)
    assert record.repeats == ()
    with pytest.raises(ConfigError, match=r"--repeats 3 .* ftcore study --seeds"):
        run(tmp_path, repeats=3, **options)
