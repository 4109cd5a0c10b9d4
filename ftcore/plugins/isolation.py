"""A border around code that others wrote: whatever it raises comes out as one PluginError."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from pluggy import PluginValidationError

from ftcore.errors import FtcoreError, PluginError


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Run a plugin's code so that it can end neither ftcore nor its output.

    What it prints to sys.stdout goes to stderr. What it raises, SystemExit and its own
    KeyboardInterrupt included, becomes a PluginError with that cause; a Ctrl-C of the user stays
    a KeyboardInterrupt even where the plugin swallows it.
    """
    with _ctrl_c() as pressed:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except BaseException as error:
            if pressed.is_set():
                raise KeyboardInterrupt from None
            raise PluginError(describe(error)) from error
    if pressed.is_set():
        raise KeyboardInterrupt


def describe(error: BaseException) -> str:
    """Return an exception as one line: its type, unless that is plain, and its message."""
    message = " ".join(str(error).split())
    if message and isinstance(error, (FtcoreError, PluginValidationError)):
        return message
    kind = type(error).__name__
    return f"{kind}: {message}" if message else kind


@contextlib.contextmanager
def _ctrl_c() -> Iterator[threading.Event]:
    """Tell the user's Ctrl-C from a KeyboardInterrupt that a plugin raises by itself."""
    pressed = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    # Signals reach the main thread alone, and only a Python handler turns them into exceptions.
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed
        return

    def notice(number: int, frame: FrameType | None) -> None:
        try:
            before(number, frame)
        except KeyboardInterrupt:
            pressed.set()
            raise

    signal.signal(signal.SIGINT, notice)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)
