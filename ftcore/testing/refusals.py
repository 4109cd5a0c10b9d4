"""The contract of refusing: the right error, naming what was wrong."""

from __future__ import annotations

from collections.abc import Callable

from ftcore.errors import FtcoreError


def assert_refused(
    call: Callable[[], object], kind: type[FtcoreError], named: str, sentence: str
) -> None:
    """Assert that `call` raises `kind` with `named` in its message; `sentence` says where not."""
    try:
        call()
    except kind as error:
        message = str(error)
    else:
        raise AssertionError(f"{sentence}; raise ftcore.{kind.__name__}.")
    assert named in message, f"The {kind.__name__} {message!r} does not name {named!r}."
