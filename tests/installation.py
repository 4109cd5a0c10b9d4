"""Makes distributions look installed: a module, its metadata and its entry points on sys.path."""

from __future__ import annotations

import importlib
import itertools
import textwrap
from pathlib import Path

_numbers = itertools.count()

METRIC = '''
from ftcore import hookimpl

class Metric:
    """A constant."""
    name, needs, higher_is_better = "constant", (), True
    def compute(self, statistics):
        return 1.0

@hookimpl
def register_metrics(register):
    register("{name}", Metric)
'''


class Installation:
    """A folder on sys.path in which distributions are put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, distribution: str, source: str, *, entry_point: str = "", attr: str = "") -> str:
        """Install `source` as a plugin of `distribution`; return the module's name.

        The module's name is new each time, so that no test meets what another one imported.
        """
        module = f"{distribution.replace('-', '_')}_{next(_numbers)}"
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        target = f"{module}:{attr}" if attr else module
        self.add_metadata(distribution, f"[ftcore]\n{entry_point or distribution} = {target}\n")
        return module

    def add_metric(self, distribution: str, name: str) -> str:
        """Install a sound plugin that registers one metric."""
        return self.add(distribution, METRIC.format(name=name))

    def add_metadata(self, distribution: str, entry_points: str) -> None:
        """Install the metadata alone, with this entry_points.txt."""
        metadata = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", encoding="utf-8"
        )
        (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")
        importlib.invalidate_caches()
