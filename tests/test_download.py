"""Fetching weights: from the cache, over the network, and giving up in good time."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ftcore import DataError, download, fetch_weights

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"model-{DIGEST[:8]}.pth"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that torch's cache would keep weights in, not yet made."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("FTCORE_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path / "hub" / "checkpoints"


class _Server(HTTPServer):
    """Serves one content under every path, and counts the requests."""

    requests = 0

    def __init__(self, status: int = 200, content: bytes = CONTENT, announced: int = 0) -> None:
        self.status, self.content = status, content
        self.announced = announced or len(content)
        super().__init__(("127.0.0.1", 0), _Handler)

    def url(self, name: str = NAME) -> str:
        return f"http://127.0.0.1:{self.server_port}/models/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.requests += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.announced))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def _running(server: _Server) -> Iterator[_Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/{NAME}"


def test_file_is_fetched_once(cache: Path) -> None:
    with _running(_Server()) as server:
        first = fetch_weights(server.url())
        second = fetch_weights(server.url())
    assert first == second == cache / NAME
    assert first.read_bytes() == CONTENT
    assert server.requests == 1
    assert [path.name for path in cache.iterdir()] == [NAME]


def test_file_in_the_cache_needs_no_network(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT)
    assert fetch_weights(_closed_port()) == cache / NAME


def test_damaged_file_in_the_cache_is_fetched_anew(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(CONTENT[:-1])
    with _running(_Server()) as server:
        assert fetch_weights(server.url()).read_bytes() == CONTENT


def test_damaged_file_in_the_cache_is_named(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(b"damaged")
    with pytest.raises(DataError, match="the copy in the cache is damaged"):
        fetch_weights(_closed_port())


@pytest.mark.parametrize(
    ("name", "sha256"),
    [(NAME, None), ("model.pth", None), ("model.pth", DIGEST.upper()), ("model-deadbeef.pth", "")],
)
def test_digest_is_the_one_given_or_that_of_the_name(
    cache: Path, name: str, sha256: str | None
) -> None:
    with _running(_Server()) as server:
        assert fetch_weights(server.url(name), sha256).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "sha256"), [("model-deadbeef.pth", None), (NAME, "deadbeef"), ("model.pth", "0" * 64)]
)
def test_other_digest_is_refused(cache: Path, name: str, sha256: str | None) -> None:
    with (
        _running(_Server()) as server,
        pytest.raises(DataError, match=f"SHA-256 of what arrived starts with {DIGEST[:8]}, not"),
    ):
        fetch_weights(server.url(name), sha256)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("name", [NAME, "model.pth"])
def test_broken_transfer_leaves_nothing(cache: Path, name: str) -> None:
    with (
        _running(_Server(announced=len(CONTENT) + 1)) as server,
        pytest.raises(DataError, match=f"broke after {len(CONTENT)} of {len(CONTENT) + 1} bytes"),
    ):
        fetch_weights(server.url(name))
    assert list(cache.iterdir()) == []


def test_answer_of_the_server_is_the_reason(cache: Path) -> None:
    with _running(_Server(404)) as server, pytest.raises(DataError) as caught:
        fetch_weights(server.url())
    assert str(caught.value) == (
        f"{server.url()} is not at hand: the server answers 404 Not Found. "
        f"Put the file into {cache}, or give the path of a weights file."
    )


def test_closed_port_is_the_reason(cache: Path) -> None:
    with pytest.raises(DataError, match="Connection refused"):
        fetch_weights(_closed_port())


def test_server_that_never_answers_is_given_up(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ANSWER_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/{NAME}"
        with pytest.raises(DataError, match=r"no answer within 0\.1 s"):
            fetch_weights(url)


def test_server_that_stops_in_the_middle_is_given_up(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "STALL_TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                done.wait()

        done = threading.Event()
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DataError, match="timed out"):
            fetch_weights(f"http://127.0.0.1:{server.getsockname()[1]}/{NAME}")
        done.set()
        thread.join()
    assert list(cache.iterdir()) == []


def test_name_that_is_looked_up_forever_is_given_up(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()

    def hang(*args: object, **kwargs: object) -> list[object]:
        done.wait()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(download, "ANSWER_TIMEOUT", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(DataError, match=r"no answer within 0\.1 s"):
        fetch_weights(f"https://models.invalid/{NAME}")
    done.set()


def test_unknown_host_is_the_reason(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(DataError, match="not at hand: Name or service not known"):
        fetch_weights(f"https://models.invalid/{NAME}")


@pytest.mark.parametrize(("value", "is_offline"), [("1", True), ("true", True), ("0", False)])
def test_offline_asks_no_server(
    cache: Path, monkeypatch: pytest.MonkeyPatch, value: str, is_offline: bool
) -> None:
    monkeypatch.setenv("FTCORE_OFFLINE", value)
    with _running(_Server()) as server:
        if is_offline:
            with pytest.raises(DataError, match="FTCORE_OFFLINE is set"):
                fetch_weights(server.url())
        else:
            fetch_weights(server.url())
    assert server.requests == (0 if is_offline else 1)


@pytest.mark.parametrize("block", [Path.touch, lambda path: path.mkdir(0o500)])
def test_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path, block: Callable[[Path], None]
) -> None:
    block(tmp_path / "hub")
    if block is not Path.touch and _is_writable(tmp_path / "hub"):
        pytest.skip("this user may write everywhere")
    with _running(_Server()) as server, pytest.raises(DataError) as caught:
        fetch_weights(server.url())
    assert str(cache) in str(caught.value)


def _is_writable(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("url", ["file:///etc/passwd", "model.pth", "https://host/", "ftp://h/m"])
def test_only_web_addresses_are_fetched(url: str) -> None:
    with pytest.raises(DataError, match="no address of a weights file"):
        fetch_weights(url)
