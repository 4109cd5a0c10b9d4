"""Fetches weights files into torch's cache: verified, atomic, and quick to give up."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
from concurrent.futures import Future
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from threading import Thread

from ftcore.errors import DataError

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT = 4.0  # seconds for everything up to the first bytes, name look-up included
STALL_TIMEOUT = 20.0  # seconds without a byte, once a download runs
_CHUNK = 1 << 20


class _WrongFileError(Exception):
    """What arrived is not the file that was asked for."""


def fetch_weights(url: str, sha256: str | None = None) -> Path:
    """Return the file that `url` names, from torch's cache or else downloaded into it.

    `sha256` is the expected digest or its first digits; None stands for those that the file name
    ends in, as in resnet18-f37072fd.pth, and "" for no check. The cache is the folder
    "checkpoints" under `torch.hub.get_dir()`; a copy in it that fails the check is fetched anew.
    Raises DataError with the reason and the remedy: FTCORE_OFFLINE=1 is set, nothing answers
    within seconds, another file arrives, or the cache cannot be written.
    """
    from torch import hub

    name = PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).name
    if not url.startswith(("https://", "http://")) or not name:
        raise DataError(f"{url!r} is no address of a weights file: it must be https://…/NAME.pth")
    expected = _digits_in(name) if sha256 is None else sha256.lower()
    target = Path(hub.get_dir()) / "checkpoints" / name
    damage = ""
    try:
        if target.is_file():
            found = _sha256(target)
            if found.startswith(expected):
                return target
            damage = f"; the copy in the cache is damaged (its SHA-256 starts with {found[:8]})"
        _download(url, target, expected)
    except (OSError, HTTPException, ValueError, _WrongFileError) as error:
        raise DataError(
            f"{url} is not at hand: {_reason(error)}{damage}. "
            f"Put the file into {target.parent}, or give the path of a weights file."
        ) from error
    return target


def is_offline() -> bool:
    """Return whether the environment sets FTCORE_OFFLINE, under which nothing is downloaded."""
    return os.environ.get("FTCORE_OFFLINE", "0").lower() not in ("", "0", "false", "no", "off")


def _download(url: str, target: Path, expected: str) -> None:
    if is_offline():
        raise OSError("FTCORE_OFFLINE is set, so nothing is downloaded")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    with _open(url) as response:
        _log.info("downloading %s", url)
        try:
            found = _receive(response, partial)
            if not found.startswith(expected):
                raise _WrongFileError(
                    f"the SHA-256 of what arrived starts with {found[:8]}, not {expected[:8]}"
                )
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _open(url: str) -> HTTPResponse:
    # In a thread of its own, since no time-out reaches a name look-up that hangs.
    answer: Future[HTTPResponse] = Future()
    Thread(target=_request, args=(url, answer), daemon=True).start()
    try:
        return answer.result(timeout=ANSWER_TIMEOUT)
    except TimeoutError:
        answer.add_done_callback(_close_late)
        raise TimeoutError(f"no answer within {ANSWER_TIMEOUT:g} s") from None


def _request(url: str, answer: Future[HTTPResponse]) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "ftcore"})
    try:
        answer.set_result(urllib.request.urlopen(request, timeout=STALL_TIMEOUT))
    except Exception as error:  # the border of the thread: it is raised again where it is awaited
        answer.set_exception(error)


def _close_late(answer: Future[HTTPResponse]) -> None:
    if answer.exception() is None:
        answer.result().close()


def _receive(response: HTTPResponse, partial: Path) -> str:
    digest = hashlib.sha256()
    size = 0
    with partial.open("xb") as file:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    announced = response.headers.get("Content-Length")
    if announced is not None and size < int(announced):
        raise _WrongFileError(f"the connection broke after {size} of {announced} bytes")
    return digest.hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        inner = error.reason
        return (inner.strerror if isinstance(inner, OSError) else None) or str(inner)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _digits_in(name: str) -> str:
    match = re.search(r"-([0-9a-f]{8,64})$", PurePosixPath(name).stem)
    return match.group(1) if match else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
