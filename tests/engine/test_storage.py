"""Whole or absent, verified or refused."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ftcore.engine import storage
from ftcore.errors import ConfigError, DataError, FtcoreError

WRITERS: list[Callable[[Path], None]] = [
    lambda path: storage.write_bytes(path, b"x" * 10_000),
    lambda path: storage.write_text(path, "x" * 10_000),
    lambda path: storage.write_json(path, ["x"] * 10_000),
    lambda path: storage.write_tensors(path, {"x": torch.zeros(10_000)}),
    lambda path: storage.save_checkpoint(path, {"x": torch.zeros(10_000)}, {"step": 1}),
]


@contextmanager
def small_disk() -> Iterator[None]:
    """Let no file grow past 4 KiB: writing more fails, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run directory with a manifest."""
    (tmp_path / "checkpoint").mkdir()
    storage.write_tensors(tmp_path / "model.safetensors", {"w": torch.arange(4.0)})
    storage.save_checkpoint(tmp_path / "checkpoint" / "last.safetensors", {}, {"epoch": 1})
    storage.write_json(tmp_path / "record.json", {"seed": 0})
    storage.write_manifest(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_directories_are_numbered(tmp_path: Path) -> None:
    parent = tmp_path / "deep" / "runs"
    made = [storage.make_directory(parent, "resnet18-digits") for _ in range(3)]
    assert [path.name for path in made] == [f"resnet18-digits-{n}" for n in (1, 2, 3)]
    assert all(path.is_dir() and path.parent == parent for path in made)


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("resnet18-bottom:2", "resnet18-bottom-2-1"),
        ("folder:path=/data/a b", "folder-path=-data-a-b-1"),
        ("../../etc", "etc-1"),
        ("…", "run-1"),
        ("x" * 300, "x" * 100 + "-1"),
    ],
)
def test_a_directory_name_is_safe(tmp_path: Path, slug: str, name: str) -> None:
    assert storage.make_directory(tmp_path, slug) == tmp_path / name


def test_processes_that_start_together_get_directories_of_their_own(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ftcore.engine import storage; "
        "sys.stdin.read(); print(storage.make_directory(Path(sys.argv[1]), 'run').name)"
    )
    # All read the same pipe, and go on together when its only writer closes it.
    reader, writer = os.pipe()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=reader,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(32)
    ]
    os.close(writer)
    os.close(reader)
    printed = [process.communicate()[0].strip() for process in processes]
    assert sorted(printed) == names(tmp_path) == sorted(f"run-{n}" for n in range(1, 33))


@pytest.mark.parametrize("below", ["", "runs"])
def test_a_parent_that_is_a_file_is_refused_by_name(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=f"{file / below}: "):
        storage.make_directory(file / below, "run")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write")
def test_a_parent_that_cannot_be_written_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="/proc: "):
        storage.make_directory(Path("/proc"), "run")


@pytest.mark.parametrize("write", WRITERS)
def test_writing_replaces_and_leaves_nothing_else(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write(path)
    assert path.stat().st_size > 4096
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_full_disk_keeps_the_old_content(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    message = f"cannot write {path}: File too large"
    with small_disk(), pytest.raises(FtcoreError, match=message):
        write(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, write: Callable[[Path], None]) -> None:
    with pytest.raises(FtcoreError, match=f"cannot write {tmp_path}/none/file: No such file"):
        write(tmp_path / "none" / "file")


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        storage.write_text(tmp_path / "file", "new")
    assert names(tmp_path) == []


def test_a_file_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[bool, list[str]]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), names(tmp_path)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    storage.write_text(tmp_path / "file", "new")
    (first_is_folder, before), (second_is_folder, after) = synced
    assert (first_is_folder, "file" in before) == (False, False)
    assert (second_is_folder, after) == (True, ["file"])


def test_json_round_trips_and_ends_in_a_newline(tmp_path: Path) -> None:
    value = {"name": "Bär", "values": [1, 0.1, None], "empty": {}}
    storage.write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "Bär" in text
    assert text.endswith("}\n")


def test_json_refuses_what_no_other_reader_takes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        storage.write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert names(tmp_path) == []


def tensors() -> dict[str, Tensor]:
    base = torch.arange(24.0).reshape(4, 6)
    return {
        "base": base,
        "alias": base,
        "transposed": base.T,
        "view": base[1:3],
        "bfloat16": torch.tensor([1.5, float("nan")], dtype=torch.bfloat16),
        "scalar": torch.tensor(7),
        "empty": torch.empty(0, 3),
        "bool": torch.tensor([True, False]),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "channels_last": torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last),
    }


def test_tensors_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    written = tensors()
    storage.write_tensors(path, written, {"b": "2", "a": "ä"})
    read, metadata = storage.read_tensors(path)
    assert metadata == {"a": "ä", "b": "2"}
    assert read.keys() == written.keys()
    for name, tensor in written.items():
        assert read[name].dtype == tensor.dtype
        torch.testing.assert_close(read[name], tensor.detach(), rtol=0, atol=0, equal_nan=True)


def test_tensors_that_were_read_share_no_memory(tmp_path: Path) -> None:
    storage.write_tensors(tmp_path / "x.safetensors", tensors())
    read, _ = storage.read_tensors(tmp_path / "x.safetensors")
    read["base"].zero_()
    assert read["alias"].sum() == tensors()["alias"].sum() != 0


def test_any_safetensors_reader_opens_a_sealed_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    storage.write_tensors(path, {"w": torch.arange(4)}, {"backbone": "resnet18"})
    with safe_open(path, "pt") as file:
        assert file.get_tensor("w").tolist() == [0, 1, 2, 3]
        assert file.metadata()["backbone"] == "resnet18"


def test_the_seal_is_the_hash_of_the_file_with_zeros_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    storage.write_tensors(path, {"w": torch.arange(4)})
    content = path.read_bytes()
    seal = content.partition(b'"ftcore.sha256":"')[2][:64]
    assert hashlib.sha256(content.replace(seal, b"0" * 64)).hexdigest() == seal.decode()


def test_equal_content_gives_equal_bytes_in_every_process(tmp_path: Path) -> None:
    program = (
        "import sys, torch; from pathlib import Path; from ftcore.engine import storage; "
        "words = dict.fromkeys('abcdefgh', 'x'); "
        "storage.write_tensors(Path(sys.argv[1]), {'b': torch.ones(2), 'a': torch.ones(3)}, words)"
    )
    paths = [tmp_path / "1", tmp_path / "2"]
    started = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for path in paths]
    assert [process.wait() for process in started] == [0, 0]
    words = dict.fromkeys(reversed("abcdefgh"), "x")
    storage.write_tensors(tmp_path / "3", {"a": torch.ones(3), "b": torch.ones(2)}, words)
    assert len({(tmp_path / name).read_bytes() for name in "123"}) == 1


def test_a_checkpoint_keeps_its_state(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    state = {"epoch": 3, "best": float("-inf"), "rates": [0.1, 1e-300], "name": 'ä"\\', "x": None}
    storage.save_checkpoint(path, {"w": torch.ones(2)}, state)
    read, found = storage.load_checkpoint(path)
    assert found == state
    assert read["w"].tolist() == [1.0, 1.0]


def test_every_flipped_bit_of_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.safetensors"
    storage.save_checkpoint(path, {"w": torch.arange(3)}, {"epoch": 3})
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=f"{path} is damaged"):
            storage.load_checkpoint(path)


@pytest.mark.parametrize("length", [0, 4, 8, 40, 100, 150, -1])
def test_a_truncated_checkpoint_is_refused_by_name(tmp_path: Path, length: int) -> None:
    path = tmp_path / "last.safetensors"
    storage.save_checkpoint(path, {"w": torch.arange(3)}, {"epoch": 3})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=f"{path} is damaged"):
        storage.load_checkpoint(path)


def test_what_is_no_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    storage.write_tensors(tmp_path / "tensors", {"w": torch.ones(2)})
    with pytest.raises(DataError, match=r"tensors holds tensors but no training state"):
        storage.load_checkpoint(tmp_path / "tensors")
    save_file({"w": torch.ones(2)}, tmp_path / "foreign")
    with pytest.raises(DataError, match=r"foreign is damaged, or was not written by ftcore"):
        storage.load_checkpoint(tmp_path / "foreign")
    with pytest.raises(DataError, match=r"cannot read .*none: No such file"):
        storage.load_checkpoint(tmp_path / "none")


def test_the_manifest_satisfies_sha256sum(run: Path) -> None:
    lines = (run / "MANIFEST.sha256").read_text().splitlines()
    listed = [line.split("  ")[1] for line in lines]
    assert listed == ["checkpoint/last.safetensors", "model.safetensors", "record.json"]
    check = ["sha256sum", "--check", "--strict", "MANIFEST.sha256"]
    assert subprocess.run(check, cwd=run, capture_output=True).returncode == 0
    storage.verify_manifest(run)


def test_the_manifest_leaves_out_what_a_killed_process_left(run: Path) -> None:
    leftover = run / "checkpoint" / ".last.safetensors.0123456789abcdef.tmp"
    mine = run / ".notes.tmp"
    leftover.touch()
    mine.touch()
    storage.write_manifest(run)
    assert not leftover.exists()
    assert mine.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint/last.safetensors"])
@pytest.mark.parametrize("chosen", [False, True])
def test_a_changed_or_missing_file_is_named(run: Path, name: str, *, chosen: bool) -> None:
    path = run / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    needed = [name] if chosen else None
    with pytest.raises(DataError, match=f"{path} has changed"):
        storage.verify_manifest(run, needed)
    path.unlink()
    with pytest.raises(DataError, match=f"{path} is missing"):
        storage.verify_manifest(run, needed)
    storage.verify_manifest(run, ["record.json"])


def test_a_file_that_is_needed_must_be_listed(run: Path) -> None:
    storage.write_text(run / "config.yaml", "epochs: 10\n")
    storage.verify_manifest(run)
    with pytest.raises(DataError, match=r"config\.yaml is not listed"):
        storage.verify_manifest(run, ["config.yaml"])


def test_every_flipped_bit_of_a_manifest_is_noticed(run: Path) -> None:
    path = run / "MANIFEST.sha256"
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=str(run)):
            storage.verify_manifest(run)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"0" * 64 + b" *model\n", b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_is_named(run: Path, content: bytes) -> None:
    (run / "MANIFEST.sha256").write_bytes(content)
    with pytest.raises(DataError, match=r"MANIFEST\.sha256 is damaged: line 1"):
        storage.verify_manifest(run)


def test_a_run_without_a_manifest_did_not_end(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"MANIFEST\.sha256 is missing: .* did not end"):
        storage.verify_manifest(tmp_path)
