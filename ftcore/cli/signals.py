"""The first Ctrl-C or SIGTERM asks the run to stop and save; the second one ends it at once."""

from __future__ import annotations

import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Notices the first signal while it is installed; a second one has its usual effect."""

    def __init__(self) -> None:
        self.is_set = False
        self._before: dict[signal.Signals, object] = {}

    def install(self) -> None:
        """Begin to notice; only the main thread of a program may.

        A signal that is ignored stays so: that is how a shell starts what runs in its background.
        """
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            self._before[number] = signal.signal(number, self._notice)

    def remove(self) -> None:
        """Give the signals back their usual effect."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._before.clear()

    def _notice(self, number: int, frame: FrameType | None) -> None:
        self.is_set = True
        self.remove()
