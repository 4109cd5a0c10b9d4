"""A depth sweep in its folder: a study that tries depths of freezing, and depth.json beside it."""

from __future__ import annotations

from ftcore.engine import storage
from ftcore.engine.flops import training_flops
from ftcore.engine.parts import RunParts
from ftcore.errors import DataError
from ftcore.interfaces import Backbone
from ftcore.record import DepthRecord, Record, StudyRecord
from ftcore.studies.curve import Cost, describe_curve
from ftcore.studies.depths import Depth, depths_of
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import plan_runs

FILE = "depth.json"


def depths_in(directory: StudyDirectory, backbone: Backbone) -> tuple[Depth, ...]:
    """Return the depths that a study tried; DataError where it tried something else."""
    config = directory.config()
    known = {depth.freeze: depth for depth in depths_of(backbone)}
    tried = config.runs.get("freeze", ())
    if config.varied != ("freeze",) or not set(tried) <= known.keys():
        raise DataError(
            f"{directory.path} holds a study of other things than depths; go on with it by "
            f"ftcore study --resume {directory.path}"
        )
    return tuple(known[freeze] for freeze in tried)


def describe_depths(directory: StudyDirectory, study: StudyRecord, parts: RunParts) -> DepthRecord:
    """Return what the runs of a study say of the depths it tried; `parts` are those of any run."""
    depths = depths_in(directory, parts.backbone)
    firsts = [
        next((each.record() for each in map(directory.finished, cell.members) if each), None)
        for cell in plan_runs(directory.config())
    ]
    costs = [_cost(parts, depth, first) for depth, first in zip(depths, firsts, strict=True)]
    names = tuple(depth.stage for depth in depths_of(parts.backbone)[1:])
    return describe_curve(study, parts.metrics[0], names, depths, costs)


def _cost(parts: RunParts, depth: Depth, record: Record | None) -> Cost:
    """What an epoch of a run took, which kept what the record says; nothing known without a run."""
    if record is None or record.freeze is None:
        return Cost()
    cached = sum(stage.cached for stage in record.freeze.stages)
    flops = training_flops(parts, depth.below, cached) * record.counts.splits["train"]
    return Cost(flops, float(record.config["lr"]))


def write_depths(directory: StudyDirectory, record: DepthRecord) -> None:
    """Write depth.json beside the study's record, and seal the folder again."""
    with directory.locked():
        storage.write_text(directory.path / FILE, record.model_dump_json(indent=2) + "\n")
        storage.write_manifest(directory.path)


def read_depths(directory: StudyDirectory, study: StudyRecord) -> DepthRecord | None:
    """Return what depth.json says of a study; None where it is not there, or of other runs.

    Raises DataError where it has changed since it was written.
    """
    if not (directory.path / FILE).is_file():
        return None
    storage.verify_manifest(directory.path, {FILE})
    record = DepthRecord.model_validate_json((directory.path / FILE).read_bytes())
    return record if record.study == study else None
