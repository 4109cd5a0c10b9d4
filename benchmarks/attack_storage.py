"""Attacks the storage of a run and counts what got through.

    python benchmarks/attack_storage.py --kills 500 --flips 1000

*Kills*: a process saves checkpoints without pause and is killed at a random moment; the file must
load, be one whole checkpoint, and be no older than the last one whose saving had ended.
*Flips*: one random bit of a run directory's tensor files is flipped; reading the file and verifying
the manifest must both refuse it. `--writer in-place` and the counts under "plain_safetensors" show
what the same attacks do without protection. Prints one JSON document; exits 1 where something got
through.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from ftcore.engine import storage
from ftcore.errors import DataError

Writer = Callable[[Path, Mapping[str, Tensor], Mapping[str, Any]], None]


def save_in_place(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Save as most training loops do: straight into the file."""
    torch.save({"tensors": dict(tensors), "state": dict(state)}, path)


def load_in_place(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load what `save_in_place` saved."""
    content = torch.load(path, weights_only=True)
    return content["tensors"], content["state"]


WRITERS = {
    "ftcore": (storage.save_checkpoint, storage.load_checkpoint),
    "in-place": (save_in_place, load_in_place),
}


def checkpoint(step: int) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Return a checkpoint of 2 MiB in which every value is the step."""
    return {f"layer{i}": torch.full((256, 256), step) for i in range(4)}, {"step": step}


def save_forever(save: Writer, path: Path, step: int, acknowledge: int) -> None:
    """Save one checkpoint after the other; acknowledge each step once it is saved."""
    while True:
        save(path, *checkpoint(step))
        os.write(acknowledge, struct.pack("<q", step))
        step += 1


def kill_while_saving(save: Writer, path: Path, step: int, delay: float) -> int:
    """Kill a process `delay` seconds after it began to save; return the last step it acknowledged.

    The process is a fork, so that a kill costs milliseconds and not an import of torch.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            save_forever(save, path, step, writer)
        finally:
            os._exit(1)
    os.close(writer)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the saving process ended by itself")
    with os.fdopen(reader, "rb") as pipe:
        steps = [value for (value,) in struct.iter_unpack("<q", pipe.read())]
    return steps[-1] if steps else step - 1


def attack_by_kill(name: str, folder: Path, kills: int, rng: random.Random) -> dict[str, Any]:
    """Kill a saving process `kills` times; count what the file was worth after each."""
    save, load = WRITERS[name]
    path = folder / "checkpoint"
    save(path, *checkpoint(0))
    load(path)  # so that a loss below is the kill's doing
    started = time.perf_counter()
    save(path, *checkpoint(0))
    seconds = time.perf_counter() - started
    outcomes = Counter[str]()
    step = 0
    for _ in range(kills):
        acknowledged = kill_while_saving(save, path, step + 1, rng.uniform(0, 4 * seconds))
        try:
            tensors, state = load(path)
        except Exception:  # whatever a loader raises, the checkpoint is lost
            outcomes["unloadable"] += 1
            step = acknowledged + 1
            save(path, *checkpoint(step))
            continue
        step = state["step"]
        whole = all(bool((value == step).all()) for value in tensors.values())
        outcomes["mixed"] += not whole
        outcomes["stale"] += step < acknowledged
        outcomes["complete"] += whole and step >= acknowledged
    leftovers = len(list(folder.iterdir())) - 1
    storage.remove_leftovers(folder)
    return {
        "writer": name,
        "kills": kills,
        "last_step": step,
        **{key: outcomes[key] for key in ("complete", "unloadable", "mixed", "stale")},
        "seconds_a_save": round(seconds, 4),
        "leftovers": leftovers,
        "leftovers_after_removal": len(list(folder.iterdir())) - 1,
    }


def make_run(folder: Path) -> dict[Path, Callable[[Path], object]]:
    """Fill a small run directory; return its tensor files and how each is read."""
    (folder / "checkpoint").mkdir()
    generator = torch.Generator().manual_seed(0)
    model = {f"stage{i}.weight": torch.randn(16, 16, generator=generator) for i in range(4)}
    readers: dict[Path, Callable[[Path], object]] = {
        folder / "model.safetensors": storage.read_tensors,
        folder / "predictions.safetensors": storage.read_tensors,
        folder / "checkpoint" / "last.safetensors": storage.load_checkpoint,
    }
    model_path, predictions_path, checkpoint_path = readers
    storage.write_tensors(model_path, model, {"backbone": "resnet18"})
    storage.write_tensors(predictions_path, {"prediction": torch.arange(200)})
    storage.save_checkpoint(checkpoint_path, model, {"epoch": 3, "best": 0.5})
    storage.write_json(folder / "record.json", {"seed": 0})
    storage.write_manifest(folder)
    return readers


def notices(check: Callable[[Path], object], argument: Path, damaged: Path) -> bool:
    """Return whether `check` refuses `argument` with an error that names the damaged file."""
    try:
        check(argument)
    except DataError as error:
        return str(damaged) in str(error)
    return False


def reads_as_safetensors(path: Path) -> bool:
    try:
        safetensors.torch.load(path.read_bytes())
    except safetensors.SafetensorError:
        return False
    return True


def attack_by_flip(folder: Path, flips: int, rng: random.Random) -> dict[str, Any]:
    """Flip one bit `flips` times; count what the readers and the manifest did not notice."""
    readers = make_run(folder)
    contents = {path: path.read_bytes() for path in readers}
    sizes = [len(content) for content in contents.values()]
    silent = Counter[str]()
    for path in rng.choices(list(readers), weights=sizes, k=flips):
        damaged = bytearray(contents[path])
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        silent["reader"] += not notices(readers[path], path, path)
        silent["manifest"] += not notices(storage.verify_manifest, folder, path)
        silent["plain_safetensors"] += reads_as_safetensors(path)
        path.write_bytes(contents[path])
    for path, read in readers.items():
        read(path)
    storage.verify_manifest(folder)
    return {
        "flips": flips,
        "bytes": sum(sizes),
        "silent": {key: silent[key] for key in ("reader", "manifest", "plain_safetensors")},
    }


def withstood(results: Mapping[str, Any]) -> bool:
    """Return whether every kill left a whole checkpoint and every flip was noticed."""
    kills, flips = results.get("kills"), results.get("flips")
    is_whole = kills is None or kills["complete"] == kills["kills"]
    is_noticed = flips is None or flips["silent"]["reader"] == flips["silent"]["manifest"] == 0
    return is_whole and is_noticed


def main() -> int:
    parser = argparse.ArgumentParser(description="Attack the storage of a run.")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--flips", type=int, default=1000)
    parser.add_argument("--writer", choices=WRITERS, default="ftcore")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write; default: the temporary folder")
    options = parser.parse_args()
    torch.set_num_threads(1)  # a fork has none of its parent's threads and would wait for them
    rng = random.Random(options.seed)
    results: dict[str, Any] = {
        "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "safetensors": safetensors.__version__,
        },
        "seed": options.seed,
    }
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        saving, run = Path(folder, "saving"), Path(folder, "run")
        saving.mkdir()
        run.mkdir()
        if options.kills:
            results["kills"] = attack_by_kill(options.writer, saving, options.kills, rng)
        if options.flips:
            results["flips"] = attack_by_flip(run, options.flips, rng)
    print(json.dumps(results, indent=2))
    return 0 if withstood(results) else 1


if __name__ == "__main__":
    sys.exit(main())
