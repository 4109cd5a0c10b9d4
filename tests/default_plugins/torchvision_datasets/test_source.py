from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from torchvision import datasets

from ftcore import DataError, PluginError
from ftcore.default_plugins.torchvision_datasets.source import (
    Source,
    check_published,
    find,
    torchvision_class,
)

SOURCE = Source("thing", ("below", ""), ("a", "b"), "Author 2000", downloader="MNIST")


def _downloader(monkeypatch: pytest.MonkeyPatch, *written: str, error: Exception | None) -> Any:
    calls = []
    monkeypatch.delenv("FTCORE_OFFLINE", raising=False)

    def download(root: str, download: bool, **arguments: Any) -> None:
        assert socket.getdefaulttimeout() is not None
        calls.append((root, download, arguments))
        if error is not None:
            raise error
        for name in written:
            path = Path(root) / "below" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    monkeypatch.setattr(datasets, "MNIST", download)
    return calls


def test_first_complete_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _downloader(monkeypatch, error=None)
    for name in ("a", "b.gz", "below/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find(SOURCE, tmp_path, download=True) == tmp_path
    (tmp_path / "below/b").touch()
    assert find(SOURCE, tmp_path) == tmp_path / "below"
    assert calls == []


def test_missing_is_downloaded_when_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = _downloader(monkeypatch, "a", "b", error=None)
    message = (
        r"thing is not in .*/below or .*: a, b missing; name the folder that holds it as in "
        r"thing:root=PATH, or let it be downloaded with thing:root=.*,download=true"
    )
    with pytest.raises(DataError, match=message):
        find(SOURCE, tmp_path)
    assert calls == []
    assert find(SOURCE, tmp_path, download=True) == tmp_path / "below"
    assert calls == [(str(tmp_path), True, {})]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("<urlopen error no network>"), "no network"),
        (RuntimeError("Error downloading a:\nTried b, got:\n403 forbidden\n"), "403 forbidden"),
        (KeyError(), "KeyError"),
    ],
)
def test_failed_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    _downloader(monkeypatch, error=error)
    with pytest.raises(DataError, match=f"thing cannot be downloaded .*{reason}.*Author 2000"):
        find(SOURCE, tmp_path, download=True)


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _downloader(monkeypatch, "a", "b", error=None)
    monkeypatch.setenv("FTCORE_OFFLINE", "1")
    with pytest.raises(DataError, match="thing is not downloaded, since FTCORE_OFFLINE is set"):
        find(SOURCE, tmp_path, download=True)
    assert calls == []


def test_download_that_brings_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _downloader(monkeypatch, "a", error=None)
    with pytest.raises(DataError, match=r"thing is not in .*/below: b missing"):
        find(SOURCE, tmp_path, download=True)


def test_published_files(tmp_path: Path) -> None:
    (tmp_path / "same").write_bytes(b"hello")
    (tmp_path / "other").write_bytes(b"hallo")
    md5 = "5d41402abc4b2a76b9719d911017c592"  # of "hello"
    assert check_published(SOURCE, tmp_path, {"same": md5}, strict=True) == ""
    files = {"same": md5, "other": md5, "none": md5}
    assert (
        check_published(SOURCE, tmp_path, files, strict=False)
        == "thing: not the published files: other changed; none missing"
    )
    with pytest.raises(DataError, match=r"none is missing; .* thing:root=PATH,checksum=false"):
        check_published(SOURCE, tmp_path, files, strict=True)


def test_torchvision_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(PluginError, match=r"torchvision::nms does not exist\); install the two"):
        torchvision_class("MNIST")
