from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from ftcore.errors import DataError, StoppedError
from ftcore.record import DepthRecord, StudyRecord
from ftcore.studies.config import StudyConfig
from ftcore.studies.depth import FILE, depths_in, describe_depths, read_depths, write_depths
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import plan_runs
from tests.studies.test_running import Recorder, failing
from tests.studies.workshop import compose, continue_study, make_study
from tests.tiny import make_backbone

FREEZE = ["none", "bottom:2", "bottom"]


def described(directory: StudyDirectory, study: StudyRecord) -> DepthRecord:
    first = plan_runs(directory.config())[0].members[0]
    return describe_depths(directory, study, compose(first.config))


@dataclass(frozen=True)
class Swept:
    directory: StudyDirectory
    study: StudyRecord
    record: DepthRecord


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Swept:
    study, directory = make_study(tmp_path_factory.mktemp("depth"), freeze=FREEZE, seeds=2)
    record = described(directory, study)
    write_depths(directory, record)
    return Swept(directory, study, record)


def test_the_curve_is_that_of_the_study(swept: Swept) -> None:
    curve = swept.record.curve
    assert [(point.frozen, point.stage, point.freeze) for point in curve] == [
        (0, "", "none"),
        (2, "middle", "bottom:2"),
        (3, "top", "bottom"),
    ]
    scores = [cell.metrics["accuracy"] for cell in swept.study.cells]
    assert [(p.value, p.low, p.high) for p in curve] == [(s.value, s.low, s.high) for s in scores]
    assert swept.record.stages == ("stem", "middle", "top")
    # Parameters of convolution, BatchNorm and head, by hand.
    stem, middle, top, head = 2 * 4 * 9 + 12, 4 * 6 * 9 + 18, 6 * 8 * 9 + 24, 27
    assert [p.trained for p in curve] == [stem + middle + top + head, top + head, head]


def test_what_frozen_stages_computed_once_is_no_cost_of_an_epoch(swept: Swept) -> None:
    top, head = 16 * 9 * 6 * 8, 8 * 3
    run = swept.directory.finished(plan_runs(swept.directory.config())[0].members[0])
    assert run is not None
    train = run.record().counts.splits["train"]
    # Forward, weights, and for the head the gradient of its inputs where the top trains.
    assert swept.record.curve[1].flops == train * 2 * (2 * top + 3 * head)
    assert swept.record.curve[2].flops == train * 2 * 2 * head


def test_what_was_written_is_read_back_and_sealed(swept: Swept, tmp_path: Path) -> None:
    assert read_depths(swept.directory, swept.study) == swept.record
    assert FILE in (swept.directory.path / "MANIFEST.sha256").read_text()
    newer = swept.study.model_copy(update={"created": "later"})
    assert read_depths(swept.directory, newer) is None
    path = swept.directory.path / FILE
    kept = path.read_text()
    try:
        path.write_text(kept.replace("classification", "clarification"))
        with pytest.raises(DataError, match=r"depth\.json has changed"):
            read_depths(swept.directory, swept.study)
    finally:
        path.write_text(kept)


def test_a_depth_that_fails_leaves_the_others(tmp_path: Path) -> None:
    study, directory = make_study(tmp_path, None, failing("bottom:2"), freeze=FREEZE, seeds=2)
    record = described(directory, study)
    assert [point.value is None for point in record.curve] == [False, True, False]
    assert [point.flops is None for point in record.curve] == [False, True, False]
    assert record.recommendation is not None
    assert record.recommendation.freeze in ("none", "bottom")
    assert len(record.study.failures) == 2


def test_a_sweep_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(StoppedError, match="2 finished runs"):
        make_study(tmp_path, Recorder(stop_after=2), freeze=FREEZE, seeds=2)
    (path,) = tmp_path.iterdir()
    made = {each: each.stat().st_mtime_ns for each in path.rglob("record.json")}
    directory = StudyDirectory.open(path)
    record = described(directory, continue_study(directory))
    assert {each: each.stat().st_mtime_ns for each in made} == made
    assert len(made) == 2
    assert all(point.value is not None for point in record.curve)


@pytest.mark.parametrize(
    "options",
    [{"freeze": "none", "seeds": 2}, {"freeze": ["none", "norm"]}, {"lr": [0.1, 0.2]}],
    ids=str,
)
def test_another_study_is_no_sweep(tmp_path: Path, options: dict[str, object]) -> None:
    config = StudyConfig.of({"out": tmp_path, **options}, "the test")
    directory = StudyDirectory.create(config, "tiny")
    with pytest.raises(DataError, match=r"a study of other things than depths.*ftcore study"):
        depths_in(directory, make_backbone())
