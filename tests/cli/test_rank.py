from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

import ftcore
from ftcore.cli import main
from ftcore.engine.storage import verify_manifest
from ftcore.record import RankingRecord, Record
from tests.installation import Installation

# Two sound backbones, one that breaks when it computes, and one whose weights are gone.
PLUGIN = '''
import ftcore

def make(name, channels, extra=(), origin="random", note=""):
    from collections import OrderedDict
    from torch import nn

    stages = (
        ftcore.Stage("stem", nn.Sequential(nn.Conv2d(3, channels, 3), nn.ReLU(), *extra)),
        ftcore.Stage("pool", nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten())),
    )
    preprocess = ftcore.ImagePreprocess(size=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    head = nn.Linear(4 * channels, 5) if origin != "random" else None
    weights = ftcore.Weights(origin, training_data="dots", licence="MIT", note=note)
    return ftcore.Backbone(name, stages, 4 * channels, preprocess, weights, head)

def small(weights="auto"):
    """Small."""
    note = "small starts from random weights: there is no network" if weights == "auto" else ""
    return make("small", 4, note=note)

def wide(weights="auto"):
    """Wide."""
    return make("wide", 16, origin="dots.th")

def bursting(weights="auto"):
    """Breaks."""
    from torch import nn

    class Burst(nn.Module):
        def forward(self, inputs):
            raise MemoryError("not enough\\nmemory")

    return make("bursting", 4, [Burst()])

def lost(weights="auto"):
    """Has no weights."""
    raise ftcore.DataError("cannot read lost.th: it is not there")

@ftcore.hookimpl
def register_backbones(register):
    for factory in (small, wide, bursting, lost):
        register(factory.__name__, factory)
'''


@dataclass(frozen=True)
class Ranked:
    """What `ftcore rank` printed and left, in its folder."""

    code: int
    record: RankingRecord
    err: str
    folder: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    Installation(folder).add("rankable", PLUGIN)
    return folder


@pytest.fixture
def _plugins(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site)
    monkeypatch.delenv("FTCORE_LOAD_PLUGINS", raising=False)


def rank(out: Path, *options: str) -> int:
    given = ["--dataset", "digits", "--examples", "200", "--epochs", "2", "--out", str(out)]
    return main(["rank", *given, *options])


@pytest.fixture
def ranked(tmp_path: Path, capfd: pytest.CaptureFixture[str], _plugins: None) -> Ranked:
    given = ("--backbones", "bursting,small,lost,wide", "--verify", "all", "--seeds", "2")
    code = rank(tmp_path, *given, "--seed", "3", "--json")
    printed = capfd.readouterr()
    record = RankingRecord.model_validate_json(printed.out)
    return Ranked(code, record, printed.err, tmp_path)


def test_a_ranking_with_two_backbones_that_fail(ranked: Ranked) -> None:
    """One test, since the ranking takes its time: the record, the notes, what is on disk."""
    record = ranked.record
    assert ranked.code == 1
    by_name = {each.name: each for each in record.backbones}
    assert by_name["bursting"].failure == "MemoryError: not enough memory"
    assert by_name["lost"].failure == "cannot read lost.th: it is not there"
    assert "Error: 2 failed: bursting: MemoryError" in ranked.err
    assert [each.name for each in record.backbones][2:] == ["bursting", "lost"]
    small, wide = by_name["small"], by_name["wide"]
    assert (small.feature_dim, wide.feature_dim) == (16, 64)
    assert small.undefined == dict.fromkeys(("leep", "nce"), "the weights came without a head")
    assert not wide.undefined
    assert record.available == 1438
    assert 200 <= record.examples <= 220  # of each of ten classes and two parts, rounded up
    assert "note: small starts from random weights: there is no network" in ranked.err
    notes = "\n".join(record.notes)
    for words in ("there is no network", "nothing pretrained, others for each seed: small"):
        assert words in notes
    assert "not counted: _adaptive_avg_pool2d, relu" in notes
    check_verification(ranked)


def check_verification(ranked: Ranked) -> None:
    record = ranked.record
    assert record.verification is not None
    for verified in record.verification.backbones:
        assert [run.seed for run in verified.runs] == [3, 4]
        for run in verified.runs:
            assert run.directory is not None
            found = Record.model_validate_json((Path(run.directory) / "record.json").read_text())
            assert found.metrics["accuracy"] == run.test
            assert (found.config["backbone"], found.config["epochs"]) == (verified.name, 2)
    assert {verified.name for verified in record.verification.backbones} == {"small", "wide"}
    assert "p = 1" in record.verification.caution
    assert record.directory is not None
    folder = Path(record.directory)
    assert folder.name == "digits-ranking-1"
    verify_manifest(folder)
    assert RankingRecord.model_validate_json((folder / "record.json").read_text()) == record


@pytest.mark.usefixtures("_plugins")
def test_the_table_sorts_by_a_cost_and_python_gives_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ("--backbones", "wide,small", "--sort", "parameters", "--score", "knn", "-q")
    assert rank(tmp_path, *given, "--weights", "none") == 0
    lines = capfd.readouterr().out.splitlines()
    rows = [line.split()[0] for line in lines if line.startswith(("wide", "small"))]
    assert rows[:2] == ["small", "wide"]
    assert "random" in next(line for line in lines if line.startswith("small") and "MIT" in line)
    record = ftcore.rank(
        backbones=["wide,small"], examples=200, score="knn", weights=["none"], out=tmp_path
    )
    (path,) = tmp_path.glob("digits-ranking-1/record.json")
    first = RankingRecord.model_validate_json(path.read_text())
    scores = [{each.name: each.scores for each in one.backbones} for one in (first, record)]
    assert scores[0] == scores[1]


@pytest.mark.usefixtures("_plugins")
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--backbones", "smal,wide"], 2, "unknown backbone 'smal'. Did you mean 'small'?"),
        (["--backbones", "small,small"], 2, "twice"),
        (["--backbones", "small"], 2, "two backbones or more"),
        ([], 2, "name the backbones to rank"),
        (["--backbones", "small,wide", "--freeze", "botom"], 2, "Did you mean 'bottom'"),
        (["--backbones", "small,wide", "--metric", "acuracy"], 2, "Did you mean 'accuracy'"),
        (["--backbones", "small,wide", "--verify", "0"], 3, "1 or more, or all"),
        (["--backbones", "small,wide", "--score", "magic"], 2, "magic"),
    ],
)
def test_wrong_usage_is_refused_and_leaves_nothing(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    words: str,
) -> None:
    assert rank(tmp_path / "runs", *options) == code
    assert words in capfd.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("_plugins")
def test_what_has_no_score_is_not_among_the_best(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ("--backbones", "small,wide", "--score", "leep", "--verify", "2", "-q", "--json")
    assert rank(tmp_path, *given) == 0
    record = RankingRecord.model_validate_json(capfd.readouterr().out)
    assert record.verification is not None
    assert [each.name for each in record.verification.backbones] == ["wide"]
    assert "no leep: small (the weights came without a head)" in record.notes


@pytest.mark.usefixtures("_plugins")
def test_data_that_is_broken_is_no_failure_of_the_backbones(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    import numpy as np
    from PIL import Image

    for part in ("train", "test"):
        for name in ("ant", "bee"):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for index in range(6):
                pixels = np.full((8, 8, 3), 40 * index, dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    (tmp_path / "photos" / "train" / "ant" / "2.png").write_text("hello")
    given = ["rank", "--backbones", "small,wide", "--dataset", f"folder:path={tmp_path}/photos"]
    assert main([*given, "--out", str(tmp_path / "runs")]) == 3
    assert "2.png" in capfd.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_options_of_runs_are_those_of_rankings() -> None:
    from ftcore.config import RunConfig
    from ftcore.studies.ranking.config import NOT_SHARED, SHARED, RankConfig

    assert set(SHARED) | set(NOT_SHARED) == set(RunConfig.model_fields)
    assert not set(SHARED) & set(RankConfig.model_fields)
    assert json.dumps(RankConfig.parse({"backbones": ["a"]}).model_dump())
