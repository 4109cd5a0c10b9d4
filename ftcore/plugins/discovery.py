"""What is installed: one `Plugin` for each entry point of the group "ftcore".

Only the distributions' metadata is read; nothing is imported.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, EntryPoint, distribution, distributions
from typing import Literal

GROUP = "ftcore"
LOAD_VARIABLE = "FTCORE_LOAD_PLUGINS"

State = Literal["not loaded", "loaded", "failed", "disabled"]


@dataclass
class Plugin:
    """A plugin that is installed, and what has become of it in this process."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint | None  # None where the metadata could not be read
    is_default: bool  # ships in the box
    state: State = "not loaded"
    seconds: float | None = None  # wall time that loading took
    provides: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # kind -> names
    error: str = ""  # one line
    cause: BaseException | None = None  # with the traceback of what failed

    @property
    def target(self) -> str:
        """What the entry point names: "package.module" or "package.module:object"."""
        return self.entry_point.value if self.entry_point else ""

    @property
    def failure(self) -> str:
        """One sentence that says why it failed."""
        return f"plugin {self.name!r} failed to load: {self.error}"

    @property
    def remedy(self) -> str:
        """What the user can do about a failure."""
        if self.is_default:
            return "it ships with ftcore: reinstall with pip install --force-reinstall ftcore"
        return (
            f"update or remove it (pip uninstall {self.distribution}), "
            f"or leave it out (--no-plugins, or {LOAD_VARIABLE} with the names to load)"
        )

    def answers_to(self, name: str) -> bool:
        """Return whether `name` means this plugin, its entry point or its distribution."""
        own = (self.name, self.distribution, self.entry_point.name if self.entry_point else "")
        return _normalize(name) in map(_normalize, own)


def discover() -> list[Plugin]:
    """Return every installed plugin: those in the box first, the others by distribution and name.

    Where two have the same name, the later one is called "distribution/name".
    """
    found = [plugin for name in _distributions() for plugin in _plugins_of(name)]
    found.sort(key=lambda p: (not p.is_default, _normalize(p.distribution), p.name))
    taken: set[str] = set()
    for plugin in found:
        if plugin.name in taken:
            plugin.name = f"{plugin.distribution}/{plugin.name}"
        taken.add(plugin.name)
    return found


def wanted_by_environment() -> Collection[str] | None:
    """Return the names in FTCORE_LOAD_PLUGINS, or None where it is not set."""
    text = os.environ.get(LOAD_VARIABLE)
    if text is None:
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def _distributions() -> list[str]:
    """Names of the distributions that mention the group, found without parsing every one."""
    names = {
        str(installed.metadata["Name"] or "unknown")
        for installed in distributions()
        if f"[{GROUP}]" in _entry_points_text(installed)
    }
    return sorted(names)


def _entry_points_text(installed: Distribution) -> str:
    try:
        return installed.read_text("entry_points.txt") or ""
    except UnicodeDecodeError:  # nobody's plugin: no installer writes such a file
        return ""


def _plugins_of(name: str) -> Iterator[Plugin]:
    # Asked for by name, so that of two copies on sys.path the one that Python imports counts.
    try:
        installed = distribution(name)
        entry_points = installed.entry_points.select(group=GROUP)
    except Exception as error:  # a border: other people's metadata, parsed by the standard library
        message = f"its metadata cannot be read ({type(error).__name__}: {error})"
        yield Plugin(name, name, "", None, False, state="failed", error=message, cause=error)
        return
    for entry_point in entry_points:
        is_default = _normalize(name) == "ftcore" and entry_point.value.startswith(
            "ftcore.default_plugins."
        )
        yield Plugin(entry_point.name, name, installed.version, entry_point, is_default)


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
