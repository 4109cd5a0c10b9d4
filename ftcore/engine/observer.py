"""Who watches a run: the engine reports here and asks whether to stop; nothing here prints."""

from __future__ import annotations

from pathlib import Path

from ftcore.record import EpochRecord


class Observer:
    """Sees a run's progress; the base class sees and says nothing."""

    def note(self, text: str) -> None:
        """Take one line that the user should see."""

    def run_started(self, directory: Path) -> None:
        """Training begins; from here on the run can be stopped and resumed."""

    def step_started(self, name: str, total: int, unit: str) -> None:
        """A part of the run begins: `total` examples or batches of it lie ahead."""

    def advanced(self, count: int) -> None:
        """`count` more of the current part are done."""

    def step_finished(self) -> None:
        """The current part is done."""

    def epoch_finished(self, row: EpochRecord, epochs: int) -> None:
        """An epoch was trained and validated."""

    def member_finished(self, name: str, result: str) -> None:
        """A run of a study is done, with this result in words."""

    def should_stop(self) -> bool:
        """Return whether to save the state and stop; asked between two optimizer steps."""
        return False
