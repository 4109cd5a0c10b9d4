"""A trainer's state as one self-verifying file: written at each epoch's end and when stopped.

Weights that move, optimizer, schedule, best weights so far and position. Randomness needs no
saving, see `ftcore.engine.randomness`; the frozen rest is checked by its digest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from ftcore.engine.storage import load_checkpoint, save_checkpoint
from ftcore.engine.training import Progress, Trainer
from ftcore.errors import DataError
from ftcore.record import EpochRecord


def save(trainer: Trainer, path: Path, frozen_digest: str) -> None:
    """Write the trainer's state to `path`, atomically."""
    optimizer = trainer.optimizer.state_dict()["state"]
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, values in optimizer.items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer/{index}/{key}"] = value
            else:
                numbers[f"{index}/{key}"] = value
    tensors |= {f"model/{k}": v for k, v in trainer.freezer.moving_state().items()}
    tensors |= {f"best/{k}": v for k, v in trainer.progress.best.items()}
    progress = trainer.progress
    state = {
        "epoch": progress.epoch,
        "batch": progress.batch,
        "loss_sum": progress.loss_sum,
        "history": [row.model_dump() for row in progress.history],
        "optimizer": numbers,
        "scaler": trainer.scaler.state_dict(),
        "frozen_digest": frozen_digest,
    }
    path.parent.mkdir(exist_ok=True)
    save_checkpoint(path, tensors, state)


def load(trainer: Trainer, path: Path, frozen_digest: str) -> None:
    """Set the trainer to the state in `path`; DataError where it belongs to other weights."""
    tensors, state = load_checkpoint(path)
    if state["frozen_digest"] != frozen_digest:
        raise DataError(
            f"{path} was written by a run whose frozen weights differ from those loaded now; "
            "resume with the same weights file, torch version and machine, or start a new run"
        )
    model, best, optimizer = (_under(tensors, part) for part in ("model", "best", "optimizer"))
    moving = trainer.freezer.moving_state()
    for name, tensor in moving.items():
        tensor.copy_(model[name])
    values: dict[int, dict[str, Any]] = {}
    for key, value in [*optimizer.items(), *state["optimizer"].items()]:
        index, _, name = key.partition("/")
        values.setdefault(int(index), {})[name] = value
    groups = trainer.optimizer.state_dict()["param_groups"]
    trainer.optimizer.load_state_dict({"state": values, "param_groups": groups})
    trainer.scaler.load_state_dict(state["scaler"])
    trainer.progress = Progress(
        epoch=state["epoch"],
        batch=state["batch"],
        loss_sum=state["loss_sum"],
        history=[EpochRecord.model_validate(row) for row in state["history"]],
        best={name: tensor.to(moving[name].device) for name, tensor in best.items()},
    )


def _under(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}/"
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
