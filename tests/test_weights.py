"""Reading a weights file: what is read, and what is refused without running it."""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
import zipfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ftcore import DataError, load_state_dict, read_state_dict

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.tensor([1.0, -2.0])}


class _Trap:
    """Makes a folder when unpickled, which shows that code was run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def _prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in STATE.items()}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".th", ".bin", ".PTH"])
@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "best_prec1": 91.8},
        {"model": STATE, "epoch": 3},
        {"model": {"state_dict": STATE}},
        _prefixed("module."),
        {"state_dict": _prefixed("module._orig_mod.")},
        {name: nn.Parameter(tensor) for name, tensor in STATE.items()},
    ],
    ids=["plain", "state_dict", "model", "nested", "module", "compiled", "parameters"],
)
def test_torch_files_are_read(tmp_path: Path, content: object, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    torch.save(content, path)
    state, digest = read_state_dict(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)
    assert not any(tensor.requires_grad for tensor in state.values())
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_safetensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file(STATE, path)
    state, digest = read_state_dict(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_old_torch_format_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save(STATE, path, _use_new_zipfile_serialization=False)
    assert read_state_dict(path)[0].keys() == STATE.keys()


def test_prefix_of_some_names_stays(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, path)
    assert set(read_state_dict(path)[0]) == {"module.a", "b"}


def _half(write: Callable[[Path], None]) -> Callable[[Path], None]:
    def write_half(path: Path) -> None:
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

    return write_half


def _saved(content: object, zipped: bool = True) -> Callable[[Path], None]:
    return lambda path: torch.save(content, path, _use_new_zipfile_serialization=zipped)


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [1.0, 2.0]}))


def _zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "no weights")


def _tarred(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "notes.txt")


def _safe(path: Path) -> None:
    save_file({"weight": torch.ones(1000)}, path)


BIG = {"weight": torch.ones(1000)}
DAMAGED = "copy or download it again"
OBJECTS = "could run code, so it is refused"
REFUSED: list[tuple[str, Callable[[Path], Any], str]] = [
    ("missing.pth", lambda path: None, "there is no weights file"),
    ("missing.safetensors", lambda path: None, "there is no weights file"),
    ("folder.pth", lambda path: path.mkdir(), "is a folder or a device, not a file"),
    ("pipe.pth", os.mkfifo, "is a folder or a device, not a file"),
    ("weights.onnx", _saved(STATE), "must end in .safetensors, .pth"),
    ("weights", _saved(STATE), "must end in .safetensors, .pth"),
    ("empty.pth", lambda path: path.touch(), "is empty (0 bytes)"),
    ("empty.safetensors", lambda path: path.touch(), "is empty (0 bytes)"),
    ("half.pth", _half(_saved(BIG)), DAMAGED),
    ("half_old.pth", _half(_saved(BIG, zipped=False)), DAMAGED),
    ("half.safetensors", _half(_safe), DAMAGED),
    ("text.pth", lambda path: path.write_text("no weights at all"), DAMAGED),
    ("page.bin", lambda path: path.write_text("<!doctype html><p>404"), DAMAGED),
    ("text.safetensors", lambda path: path.write_text("no weights at all"), DAMAGED),
    ("header.safetensors", lambda path: path.write_bytes(b"\xff" * 64), DAMAGED),
    ("plain_pickle.pth", _pickled, DAMAGED),
    ("archive.pth", _zipped, DAMAGED),
    ("tar.pth", _tarred, DAMAGED),
    ("module.pth", _saved(nn.Linear(2, 2)), "torch.nn.modules.linear.Linear"),
    ("args.pth", _saved({"state_dict": STATE, "args": Namespace(lr=0.1)}), "argparse.Namespace"),
    ("list.pth", _saved([torch.ones(1)]), "holds a list, not a state dict"),
    ("tensor.pth", _saved(torch.ones(1)), "holds a Tensor, not a state dict"),
    ("nothing.pth", _saved({}), "without any tensor"),
    ("nothing_inside.pth", _saved({"state_dict": {}}), "without any tensor"),
    ("numbers.pth", _saved({"epoch": 3, "loss": 0.1}), "among its keys: epoch, loss"),
    ("other.pth", _saved({"net": STATE, "epoch": 3}), "among its keys: net, epoch"),
    ("indices.pth", _saved({0: torch.ones(1)}), "maps names to tensors"),
]


@pytest.mark.parametrize(("name", "write", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_other_files_are_refused(
    tmp_path: Path, name: str, write: Callable[[Path], Any], words: str
) -> None:
    path = tmp_path / name
    write(path)
    with pytest.raises(DataError) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_pickle_is_never_run(tmp_path: Path, zipped: bool) -> None:
    path, trace = tmp_path / "trap.pth", tmp_path / "trace"
    torch.save({"weight": _Trap(trace)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(DataError, match=r"run(ning)? code"):
        read_state_dict(path)
    assert not trace.exists()


def test_objects_are_named(tmp_path: Path) -> None:
    path = tmp_path / "trap.pth"
    torch.save({"weight": _Trap(tmp_path / "trace")}, path)
    with pytest.raises(DataError, match=r"holds Python objects besides tensors \(\w+\.mkdir\)"):
        read_state_dict(path)


def test_state_is_copied_exactly() -> None:
    module = nn.Linear(3, 2)
    state = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.tensor([1.0, -2.0])}
    load_state_dict(module, state, "weights.pth")
    assert module.weight.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert module.bias.tolist() == [1, -2]
    module.weight.data.zero_()
    assert state["weight"].sum() == 15


def test_batch_norm_without_count_is_loaded() -> None:
    # Files of PyTorch before 0.4.1 lack it.
    norm = nn.BatchNorm2d(2)
    state = {name: tensor + 1 for name, tensor in norm.state_dict().items()}
    del state["num_batches_tracked"]
    load_state_dict(norm, state, "old.pth")
    assert norm.running_mean is not None
    assert norm.running_mean.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"weight": torch.ones(2, 3)}, "1 missing (bias)"),
        ({}, "2 missing (weight, bias)"),
        (
            {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
            | {f"extra{i}": torch.ones(1) for i in range(5)},
            "5 unexpected (extra0, extra1, extra2, …)",
        ),
        (
            {"weight": torch.ones(4, 3), "bias": torch.ones(4)},
            "2 different (weight is (4, 3), not (2, 3), bias is (4,), not (2,))",
        ),
        (
            {"weight": torch.ones(2, 3), "bias": torch.ones(2, dtype=torch.int8)},
            "1 different (bias is torch.int8, not torch.float32)",
        ),
        (
            {"weight": torch.ones(4, 3), "other": torch.ones(4)},
            "1 missing (bias); 1 unexpected (other); 1 different (weight is (4, 3), not (2, 3))",
        ),
    ],
)
def test_state_that_does_not_fit_is_refused(state: dict[str, torch.Tensor], words: str) -> None:
    with pytest.raises(DataError) as caught:
        load_state_dict(nn.Linear(3, 2), state, "other.pth")
    message = f"other.pth does not fit Linear: {words}. Give weights that were saved from this "
    assert str(caught.value) == message + "architecture."


@pytest.mark.shared_data
def test_published_cifar_resnet_is_read(shared_data: Path) -> None:
    path = shared_data / "weights" / "cifar10-resnet" / "resnet20-12fca82f.th"
    state, digest = read_state_dict(path)
    assert digest.startswith("12fca82f")
    assert state["conv1.weight"].shape == (16, 3, 3, 3)
    assert state["linear.weight"].shape == (10, 64)
