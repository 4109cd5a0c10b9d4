"""Rank pretrained backbones on a dataset, and check the ranking by fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ftcore.api.candidates import parse_candidates
from ftcore.api.composition import compose, make_metrics
from ftcore.api.runs import run
from ftcore.config import RunConfig
from ftcore.engine import storage
from ftcore.engine.checks import check_inputs, check_targets
from ftcore.engine.device import Machine, environment
from ftcore.engine.observer import Observer
from ftcore.engine.partition import make_parts
from ftcore.engine.parts import RunParts
from ftcore.errors import DataError, FtcoreError, StoppedError, sentence_of
from ftcore.interfaces import DataBundle, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import RankedBackbone, RankingRecord, VerificationRecord, VerifiedRun
from ftcore.studies.ranking.config import RankConfig, parse_options
from ftcore.studies.ranking.notes import notes_of
from ftcore.studies.ranking.ranking import in_order, mark_undominated, rank_backbone
from ftcore.studies.ranking.sample import training_part
from ftcore.studies.ranking.verification import describe_run, verify
from ftcore.studies.running import Nested


def rank(
    *, plugins: Plugins | None = None, observer: Observer | None = None, **options: Any
) -> RankingRecord:
    """Score pretrained backbones on the training part of a dataset; fine-tune the best of them.

    Options are the fields of RankConfig, such as `backbones`, and those of RunConfig, such as
    `dataset` and `epochs`. The record is written into a new folder below `out`. A backbone that
    fails is in the record with its failure, and does not stop the others.
    Raises UsageError for names that are not registered, ConfigError and DataError for options and
    data that no backbone could be ranked with.
    """
    choice, config = parse_options(options, "ftcore.rank")
    return _Ranking(choice, config, plugins or plugin_manager(), observer or Observer()).record()


def check_ranked(record: RankingRecord) -> None:
    """Raise FtcoreError where a backbone of the ranking failed, or a run that verifies it."""
    failures = {each.name: each.failure for each in record.backbones if each.failure}
    for verified in record.verification.backbones if record.verification else ():
        failures |= {
            f"{verified.name}, seed {run.seed}": run.failure for run in verified.runs if run.failure
        }
    if failures:
        said = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
        raise FtcoreError(f"{len(failures)} failed: {said}")


@dataclass
class _Ranking:
    """A ranking under way."""

    choice: RankConfig
    config: RunConfig
    plugins: Plugins
    observer: Observer
    seconds: dict[str, float] = field(default_factory=dict)

    def record(self) -> RankingRecord:
        """Rank, write, and verify where that is asked for."""
        candidates = parse_candidates(self.choice.backbones, self.choice.weights, self.plugins)
        bundle, task = self._data()
        sample = training_part(bundle, self.choice.examples, self.config.split_seed)
        start = time.perf_counter()
        ranked: list[RankedBackbone] = []
        for name, weights in candidates.items():
            self.observer.note(f"ranking {name}, {len(ranked) + 1} of {len(candidates)}")
            ranked.append(self._rank(name, weights, sample))
        self.seconds["ranking"] = time.perf_counter() - start
        ranked = mark_undominated(ranked, self.choice.score)
        directory = storage.make_directory(
            self.config.out, f"{self.config.dataset.partition(':')[0]}-ranking"
        )
        record = self._describe(ranked, bundle, sample, directory)
        _write(directory, record)
        if self.choice.verify is not None:
            self.observer.run_started(directory)  # from here on, what is stopped can be resumed
            verification = self._verify(ranked, candidates, self._metric(task))
            self.seconds["verification"] = verification.seconds
            update = {"verification": verification, "timings": dict(self.seconds)}
            record = record.model_copy(update=update)
            _write(directory, record)
        return record

    def _data(self) -> tuple[DataBundle, Task]:
        """Make what all backbones share, so that what is wrong with it is said once."""
        self.plugins.create("freezing", self.config.freeze)
        Machine.of(self.config)
        bundle = self.plugins.create("datasets", self.config.dataset)
        task = self.plugins.create("tasks", self.config.task or bundle.task)
        self._metric(task)
        bundle = make_parts(bundle, self.config)
        check_targets(bundle, task)
        for note in bundle.notes:
            self.observer.note(f"note: {note}")
        return bundle, task

    def _metric(self, task: Task) -> str:
        """The metric that fine-tuning is judged by."""
        return make_metrics(self.config, task, self.plugins)[0].name

    def _rank(self, name: str, weights: str, sample: DataBundle) -> RankedBackbone:
        """Rank one backbone; what goes wrong is its failure, unless the data is to blame."""
        about = {
            "backbone": name,
            "weights": weights,
            "freeze": "bottom",
            "augment": "none",
            "views": 0,
            "cache": "memory" if self.config.cache == "off" else self.config.cache,
        }
        parts: RunParts | None = None
        try:
            parts = compose(self.config.model_copy(update=about), self.plugins)
            if parts.backbone.weights.note:
                self.observer.note(f"note: {parts.backbone.weights.note}")
            return rank_backbone(name, replace(parts, bundle=sample), self.observer)
        except StoppedError:
            raise
        except Exception as error:  # a border: a backbone is a stranger's, and may break in any way
            if isinstance(error, DataError) and parts is not None:
                check_inputs(sample, self.observer, None)
            failure = sentence_of(error)
            self.observer.note(f"{name} failed: {failure}")
            return RankedBackbone(name=name, failure=failure)

    def _describe(
        self,
        ranked: Sequence[RankedBackbone],
        bundle: DataBundle,
        sample: DataBundle,
        directory: Path,
    ) -> RankingRecord:
        sort = self.choice.sort or self.choice.score
        examples = sum(map(len, sample.splits.values()))
        available = sum(len(bundle.splits[part]) for part in sample.splits)
        shared = self.config.model_dump(mode="json", exclude={"backbone", "weights", "require"})
        return RankingRecord(
            directory=str(directory),
            dataset=bundle.name,
            task=self.config.task or bundle.task,
            score=self.choice.score,
            sort=sort,
            examples=examples,
            available=available,
            classes=bundle.classes,
            backbones=tuple(in_order(ranked, sort)),
            notes=(*bundle.notes, *notes_of(ranked, self.choice.score, examples, available)),
            config=shared | self.choice.model_dump(mode="json"),
            timings=dict(self.seconds),
            environment=environment(Machine.of(self.config)),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _verify(
        self, ranked: Sequence[RankedBackbone], candidates: Mapping[str, str], metric: str
    ) -> VerificationRecord:
        start = time.perf_counter()
        quieter = Nested(self.observer)
        usable = [each for each in in_order(ranked, self.choice.score) if not each.failure]
        if isinstance(self.choice.verify, int):
            scored = [each for each in usable if each.scores[self.choice.score] is not None]
            usable = scored[: self.choice.verify]
        runs = {
            each.name: [
                self._run(each.name, candidates[each.name], self.config.seed + number, quieter)
                for number in range(self.choice.seeds)
            ]
            for each in usable
        }
        return verify(ranked, runs, metric, time.perf_counter() - start)

    def _run(self, name: str, weights: str, seed: int, observer: Observer) -> VerifiedRun:
        """Fine-tune as `ftcore run` does; a failure is told, and the others go on."""
        self.observer.note(f"fine-tuning {name}, seed {seed}")
        about: dict[str, Any] = {"backbone": name, "weights": weights, "seed": seed}
        about["repeats"] = self.config.repeats or 0  # the seeds are repeated already
        try:
            config = self.config.model_copy(update=about)
            record = run(config, plugins=self.plugins, observer=observer)
        except StoppedError:
            raise
        except Exception as error:  # the border of one run, as of one backbone above
            failure = sentence_of(error)
            self.observer.note(f"{name}, seed {seed} failed: {failure}")
            return VerifiedRun(seed=seed, failure=failure)
        return describe_run(record)


def _write(directory: Path, record: RankingRecord) -> None:
    storage.write_text(directory / "record.json", record.model_dump_json(indent=2) + "\n")
    storage.write_manifest(directory)
