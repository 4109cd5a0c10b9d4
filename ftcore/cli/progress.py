"""Shows a run's progress on stderr: bars on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ftcore.cli.signals import StopRequest
from ftcore.engine.observer import Observer
from ftcore.record import EpochRecord


class TerminalObserver(Observer):
    """Prints notes and epochs to stderr, and draws a bar where stderr is a terminal."""

    def __init__(self, *, quiet: bool, verbose: bool) -> None:
        self._stop = StopRequest()
        self._quiet = quiet
        self._verbose = verbose
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars: Progress | None = None
        self._bar: TaskID | None = None

    def note(self, text: str) -> None:
        """Print one line."""
        if not self._quiet:
            self._console.print(text, markup=False)

    def run_started(self, directory: Path) -> None:
        """Take the first Ctrl-C or SIGTERM as a request to stop; name the folder."""
        self._stop.install()
        if self._verbose:
            self.note(f"writing to {directory}; Ctrl-C stops, ftcore run --resume goes on")

    def step_started(self, name: str, total: int, unit: str) -> None:
        """Draw a bar for the part that begins."""
        if self._quiet or not self._console.is_terminal:
            return
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn(f"{unit} {{task.fields[rate]}}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bars.start()
        self._bar = self._bars.add_task(name, total=total, rate="")

    def advanced(self, count: int) -> None:
        """Move the bar."""
        if self._bars is not None and self._bar is not None:
            speed = self._bars.tasks[0].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            self._bars.update(self._bar, advance=count, rate=rate)

    def step_finished(self) -> None:
        """Remove the bar."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = self._bar = None

    def epoch_finished(self, row: EpochRecord, epochs: int) -> None:
        """Print one line for the epoch."""
        if self._quiet:
            return
        metric, value = next(iter(row.val.items()))
        score = "undefined" if value is None else f"{value:.4f}"
        best = "  best so far" if row.is_best else ""
        width = len(str(epochs))
        self._console.print(
            f"epoch {row.epoch + 1:{width}}/{epochs}  train loss {row.train_loss:.4f}  "
            f"val {metric} {score}{best}",
            markup=False,
        )

    def member_finished(self, name: str, result: str) -> None:
        """Print one line for the run, but where a bar shows how far the study is."""
        is_failure = result.startswith("failed")
        if self._bars is None or is_failure:
            self.note(f"{name}: {result}")

    def should_stop(self) -> bool:
        """Return whether a signal asked to stop."""
        return self._stop.is_set

    def close(self) -> None:
        """Leave the terminal and the signals as they were, whatever happened."""
        self.step_finished()
        self._stop.remove()


@contextlib.contextmanager
def observing(*, quiet: bool, verbose: bool = False) -> Iterator[TerminalObserver]:
    """Yield an observer and close it."""
    observer = TerminalObserver(quiet=quiet, verbose=verbose)
    try:
        yield observer
    finally:
        observer.close()
