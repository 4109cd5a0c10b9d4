"""A study's folder: its configuration, a folder for each run, and its record, written last."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ftcore.config import RunConfig
from ftcore.engine import storage
from ftcore.engine.directory import RunDirectory
from ftcore.engine.locking import holding
from ftcore.errors import DataError
from ftcore.record import StudyRecord
from ftcore.studies.config import StudyConfig
from ftcore.studies.plan import Member

CONFIG = "study.yaml"


@dataclass(frozen=True)
class StudyDirectory:
    """The folder of one study; runs that are complete in it are never made again."""

    path: Path

    @classmethod
    def create(cls, config: StudyConfig, slug: str) -> StudyDirectory:
        """Make a new folder below `config.out`, and write the configuration into it."""
        directory = cls(storage.make_directory(config.out, f"study-{slug}"))
        storage.write_text(directory.path / CONFIG, config.to_yaml())
        return directory

    @classmethod
    def open(cls, path: Path) -> StudyDirectory:
        """Return the folder of an existing study; DataError where there is none."""
        if not cls.is_study(path):
            raise DataError(f"{path} is no study: it has no {CONFIG}")
        return cls(path)

    @staticmethod
    def is_study(path: Path) -> bool:
        """Tell whether there is a study in a folder."""
        return (path / CONFIG).is_file()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder; DataError where one works in it already."""
        with holding(self.path / CONFIG, self._refuse):
            storage.remove_leftovers(self.path)
            yield

    def _refuse(self, waited: float) -> None:
        raise DataError(
            f"another process is working on the study in {self.path}; wait for it, or stop it first"
        ) from None

    def config(self) -> StudyConfig:
        """Read the study's configuration."""
        return StudyConfig.load(self.path / CONFIG)

    def run_path(self, member: Member) -> Path:
        """Where a run of the study is, or will be."""
        return self.path / "runs" / member.name

    def finished(self, member: Member) -> RunDirectory | None:
        """Return the folder of a run that is complete, else None."""
        directory = RunDirectory(self.run_path(member))
        return directory if directory.is_complete else None

    def fresh(self, member: Member, config: RunConfig | None = None) -> RunDirectory:
        """Return a new folder for a run that is not complete; what a killed one left goes."""
        shutil.rmtree(self.run_path(member), ignore_errors=True)
        return RunDirectory.at(self.run_path(member), config or member.config)

    @property
    def is_complete(self) -> bool:
        """Whether the study has ended and its record was written."""
        return (self.path / "MANIFEST.sha256").is_file()

    def record(self) -> StudyRecord:
        """Read the study's record; DataError where it is missing, changed or of another version."""
        if not self.is_complete:
            raise DataError(
                f"{self.path} is unfinished; finish it with ftcore study --resume {self.path}"
            )
        storage.verify_manifest(self.path, {"record.json"})
        return StudyRecord.model_validate_json((self.path / "record.json").read_bytes())

    def finish(self, record: StudyRecord) -> None:
        """Write the record, and seal the folder with its manifest."""
        storage.write_text(self.path / "record.json", record.model_dump_json(indent=2) + "\n")
        storage.write_manifest(self.path)
