"""How deep to freeze: a study of depths, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftcore.api.studies import first_parts, workshop_of
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import UsageError
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import DepthRecord
from ftcore.studies.config import StudyConfig
from ftcore.studies.depth import depths_in, describe_depths, read_depths, write_depths
from ftcore.studies.depths import Depth, choose_depths, depths_of
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import plan_runs
from ftcore.studies.study import run_study


def depth(
    config: StudyConfig | None = None,
    *,
    depths: str = "",
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> DepthRecord:
    """Try a backbone with more and more of its stages frozen, and recommend how many.

    `depths` are those to try, as in "0,2,4,all", by default every one; `options` are those of
    `ftcore.study`, one value each, without `freeze`. The depth recommended is the cheapest that is
    not shown worse than the best. A run that fails is named in the record of the study.
    Raises what `ftcore.study` raises.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    config, parts, _ = _sweep(config, depths, options, plugins)
    slug = f"{parts.config.dataset.partition(':')[0]}-{parts.config.backbone.partition(':')[0]}"
    directory = StudyDirectory.create(config, f"{slug}-depth")
    return _run(directory, parts, plugins, observer)


def plan_depths(
    config: StudyConfig, *, depths: str = "", plugins: Plugins | None = None
) -> tuple[StudyConfig, tuple[Depth, ...]]:
    """Return the study that `depth` would make, and the depths it would try."""
    config, _, chosen = _sweep(config, depths, {}, plugins or plugin_manager())
    return config, chosen


def resume_depth(
    path: Path | str, *, plugins: Plugins | None = None, observer: Observer | None = None
) -> DepthRecord:
    """Go on with a stopped depth sweep; runs that are complete are not made again.

    Runs that failed are tried again. A sweep without failures that is complete is not touched.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    directory = StudyDirectory.open(Path(path))
    if directory.is_complete:
        study = directory.record()
        found = None if study.failures else read_depths(directory, study)
        if found is not None:
            observer.note(f"{path} is complete; this is its result")
            return found
    parts = first_parts(plan_runs(directory.config()), plugins)
    depths_in(directory, parts.backbone)
    return _run(directory, parts, plugins, observer)


def _sweep(
    config: StudyConfig | None, asked: str, options: dict[str, Any], plugins: Plugins
) -> tuple[StudyConfig, RunParts, tuple[Depth, ...]]:
    """Return the study of the depths asked for, the parts of a run of it, and the depths."""
    if config is not None and options:
        raise UsageError("give either a configuration or its fields, not both")
    config = config or StudyConfig.of(options, "ftcore.depth")
    if "freeze" in config.runs:
        raise UsageError("a depth sweep sets --freeze itself; leave it out, or use ftcore study")
    if config.varied:
        raise UsageError(
            f"a depth sweep varies nothing else, but {config.varied[0]!r} has several values; "
            "give one, or use ftcore study with --freeze bottom:1 --freeze bottom:2"
        )
    parts = first_parts(plan_runs(_trying(config, "bottom")), plugins)
    depths = choose_depths(depths_of(parts.backbone), asked)
    return _trying(config, *(each.freeze for each in depths)), parts, depths


def _trying(config: StudyConfig, *strategies: str) -> StudyConfig:
    return config.model_copy(update={"runs": {**config.runs, "freeze": strategies}})


def _run(
    directory: StudyDirectory, parts: RunParts, plugins: Plugins, observer: Observer
) -> DepthRecord:
    study = run_study(
        directory, workshop_of(plugins, directory.config().jobs), parts, observer, "depth"
    )
    record = describe_depths(directory, study, parts)
    write_depths(directory, record)
    return record
