"""A run's folder: what each file is called, and the order in which they are written."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor, nn

from ftcore.config import RunConfig
from ftcore.engine import storage
from ftcore.engine.adapters import describe_adapters, merged_state
from ftcore.engine.locking import holding
from ftcore.engine.predictions import Predictions
from ftcore.errors import DataError
from ftcore.interfaces import Adapter, FreezePlan, Phase
from ftcore.record import EpochRecord, Record

PREDICTIONS = "predictions.safetensors"
PLAN = "plan.json"
REPEATS = "repeats.safetensors"


@dataclass(frozen=True)
class RunDirectory:
    """The folder of one run; its manifest is written last, and says that the run is complete."""

    path: Path
    is_first: bool = False  # whether the folder that it is in was made for it

    @classmethod
    def create(cls, config: RunConfig) -> RunDirectory:
        """Make a new folder below `config.out`, and write the configuration into it."""
        is_first = not config.out.exists()
        directory = cls(storage.make_directory(config.out, config.slug), is_first)
        storage.write_text(directory.path / "config.yaml", config.to_yaml())
        return directory

    @classmethod
    def at(cls, path: Path, config: RunConfig) -> RunDirectory:
        """Make the folder `path`, which does not exist, and write the configuration into it."""
        path.mkdir(parents=True)
        storage.write_text(path / "config.yaml", config.to_yaml())
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Return the folder of an existing run; DataError where there is none."""
        if not (path / "config.yaml").is_file():
            raise DataError(
                f"{path} is no run: it has no config.yaml; runs are folders below runs/"
            )
        return cls(path)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder; DataError where one works in it already."""
        with holding(self.path / "config.yaml", self._refuse):
            storage.remove_leftovers(self.path)
            yield

    def _refuse(self, waited: float) -> None:
        raise DataError(
            f"another process is working in {self.path}; wait for it, or stop it first"
        ) from None

    @property
    def checkpoint(self) -> Path:
        """The state of an unfinished run."""
        return self.path / "checkpoint" / "state.safetensors"

    @property
    def scratch(self) -> Path:
        """The state of an unfinished run's baseline from random weights."""
        return self.checkpoint.with_name("scratch.safetensors")

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended and everything was written."""
        return (self.path / "MANIFEST.sha256").is_file()

    def remove_if_fresh(self) -> None:
        """Remove the folder where nothing but the configuration was written into it."""
        if [path.name for path in self.path.iterdir()] != ["config.yaml"]:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        if self.is_first:
            with contextlib.suppress(OSError):  # another run has come
                self.path.parent.rmdir()

    def config(self) -> RunConfig:
        """Read the run's configuration."""
        return RunConfig.load(self.path / "config.yaml")

    def record(self) -> Record:
        """Read the run's record; DataError where it is missing, changed or of another version."""
        self._verify()
        return Record.model_validate_json((self.path / "record.json").read_bytes())

    def _verify(self, *names: str) -> None:
        """Raise DataError unless the run is complete, its record unchanged, and so are `names`."""
        if not self.is_complete:
            raise DataError(
                f"{self.path} is unfinished; finish it with ftcore run --resume {self.path}"
            )
        storage.verify_manifest(self.path, ("record.json", *names))

    def model_state(self) -> dict[str, Tensor]:
        """Read the weights of the finished run, verified."""
        self.record()
        if not (self.path / "model.safetensors").is_file() and self.config().save == "nothing":
            raise DataError(
                f"{self.path} holds no model, since it was run with --save nothing; run it again: "
                f"ftcore run --config {self.path / 'config.yaml'} --save model"
            )
        storage.verify_manifest(self.path, {"model.safetensors"})
        return storage.read_tensors(self.path / "model.safetensors")[0]

    def plan(self) -> FreezePlan | None:
        """Read the freeze plan of a run that measured it; None where there is no such file."""
        path = self.path / PLAN
        if not path.is_file():
            return None
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            phases = tuple(Phase(**phase) for phase in values["phases"])
            adapters = tuple(Adapter(**adapter) for adapter in values["adapters"])
            return FreezePlan(phases, adapters, values["reasons"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{path} is damaged ({error}); restore it from a copy, or start a new run"
            ) from None

    def write_plan(self, plan: FreezePlan) -> None:
        """Write the freeze plan, so that it is the same where the run is resumed."""
        phases = [
            {"first_epoch": phase.first_epoch, "rates": dict(phase.rates)} for phase in plan.phases
        ]
        adapters = [asdict(adapter) for adapter in plan.adapters]
        values = {"phases": phases, "adapters": adapters, "reasons": dict(plan.reasons)}
        storage.write_json(self.path / PLAN, values)

    def write_history(self, history: Sequence[EpochRecord]) -> None:
        """Write metrics.jsonl, one line an epoch."""
        lines = "".join(row.model_dump_json() + "\n" for row in history)
        storage.write_text(self.path / "metrics.jsonl", lines)

    def predictions(self) -> Predictions:
        """Read what the finished run said of each test example, verified."""
        self._verify(PREDICTIONS)
        return Predictions.read(self.path / PREDICTIONS)

    def repeats(self) -> dict[int, Predictions]:
        """Read by seed what the run's other heads said of each test example, verified."""
        record, own = self.record(), self.predictions()
        if not record.repeats:
            return {}
        storage.verify_manifest(self.path, {REPEATS})
        tensors, _ = storage.read_tensors(self.path / REPEATS)
        rows: dict[int, dict[str, Tensor]] = {each.seed: {} for each in record.repeats}
        for name, tensor in tensors.items():
            seed, _, row = name.partition("/")
            rows[int(seed)][row] = tensor
        return {seed: Predictions(own.ids, each, own.version) for seed, each in rows.items()}

    def write_repeats(self, rows: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Write the rows of each other head, by its seed, in the order of the predictions."""
        tensors = {
            f"{seed}/{name}": row for seed, each in rows.items() for name, row in each.items()
        }
        storage.write_tensors(self.path / REPEATS, tensors)

    def write_predictions(self, predictions: Predictions) -> None:
        """Write a row for each test example."""
        predictions.write(self.path / PREDICTIONS)

    def write_model(self, model: nn.Module) -> None:
        """Write every parameter and buffer, frozen ones too, under the freeze plan's names.

        Adapters are merged into their weights, so that any reader gets the model that was tested,
        and where there are some, they are written apart as well.
        """
        storage.write_tensors(self.path / "model.safetensors", merged_state(model))
        tensors, metadata = describe_adapters(model)
        if tensors:
            storage.write_tensors(self.path / "adapters.safetensors", tensors, metadata)

    def finish(self, record: Record) -> None:
        """Write the record, drop the checkpoints, and seal the folder with its manifest."""
        storage.write_text(self.path / "record.json", record.model_dump_json(indent=2) + "\n")
        for state in (self.checkpoint, self.scratch):
            state.unlink(missing_ok=True)
        storage.remove_leftovers(self.path)
        if self.checkpoint.parent.is_dir():
            self.checkpoint.parent.rmdir()
        storage.write_manifest(self.path)
