"""What can go wrong, and the exit code each kind of failure ends the command with.

The library raises these; only `ftcore.cli` prints them and exits.
A message says what was wrong, the value, where it was found, and what to do next.
"""

from __future__ import annotations


class FtcoreError(Exception):
    """A run failed for a reason that ftcore can name."""

    exit_code = 1


class UsageError(FtcoreError):
    """A name, spec or option that does not exist or cannot be read."""

    exit_code = 2


class ConfigError(FtcoreError):
    """A configuration that was refused before anything was trained."""

    exit_code = 3


class DataError(FtcoreError):
    """Data, weights or a run directory that were refused before anything was trained."""

    exit_code = 3


class PluginError(FtcoreError):
    """A plugin that could not be loaded or broke its contract."""

    exit_code = 3


class NumericalError(FtcoreError):
    """A loss, gradient or logit that is not finite."""

    exit_code = 4


class RequirementError(FtcoreError):
    """A `--require` gate that the result did not meet."""

    exit_code = 5


class StoppedError(FtcoreError):
    """The run was asked to stop, saved its state, and can be resumed."""

    exit_code = 75


def sentence_of(error: Exception) -> str:
    """Return in one line what an error says, with its kind where it is none of these."""
    text = " ".join(str(error).split())
    return text if isinstance(error, FtcoreError) else f"{type(error).__name__}: {text}"
