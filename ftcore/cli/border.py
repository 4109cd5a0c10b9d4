"""Where every failure ends: one line on stderr, and the exit code that goes with it."""

from __future__ import annotations

import logging
import os
import select
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from ftcore.errors import FtcoreError, StoppedError

INTERRUPTED = 130  # 128 + SIGINT
READER_GONE = 141  # 128 + SIGPIPE


def exit_code_of(command: Callable[[], None], *, verbose: bool) -> int:
    """Run `command` and return its exit code; what it raises becomes one line on stderr.

    With `verbose` the traceback goes before that line.
    """
    try:
        return _run(command, verbose)
    except BrokenPipeError:
        for stream in _without_reader():
            # Python flushes once more as it ends, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return READER_GONE


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Show what the library logs, as lines that begin with "Warning:"."""
    handler = _Echo(logging.WARNING)
    handler.setFormatter(logging.Formatter("Warning: %(message)s"))
    logger = logging.getLogger("ftcore")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def _run(command: Callable[[], None], verbose: bool) -> int:
    try:
        command()
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except StoppedError as stopped:
        click.echo(f"{stopped}", err=True)
        return stopped.exit_code
    except FtcoreError as error:
        _complain(str(error), error, verbose)
        return error.exit_code
    except OSError as error:  # the system's trouble, such as a full disk, and no bug
        if isinstance(error, BrokenPipeError) and _without_reader():
            raise
        _complain(f"{type(error).__name__}: {error}", error, verbose)
        return 1
    except Exception as error:
        message = f"{type(error).__name__}: {error} (a bug in ftcore: please report it"
        hint = ")" if verbose else " with the traceback that FTCORE_DEBUG=1 shows)"
        _complain(message + hint, error, verbose)
        return 1
    return 0


def _complain(message: str, error: Exception, verbose: bool) -> None:
    if verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    click.echo("Error: " + " ".join(message.splitlines()), err=True)


def _without_reader() -> list[TextIO]:
    """The standard streams that nobody reads any more; other pipes, as to a worker, may break."""
    return [stream for stream in (sys.stdout, sys.stderr) if _has_lost_reader(stream)]


def _has_lost_reader(stream: TextIO) -> bool:
    if sys.platform == "win32":
        return True  # it has no poll; pipes break there with other errors anyway
    try:
        number = stream.fileno()
    except OSError:  # a stream in memory
        return False
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
