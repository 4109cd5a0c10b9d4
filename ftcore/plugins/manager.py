"""The plugin manager: which plugin is loaded when, and that one's failure stays its own."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, Literal, overload

from ftcore import interfaces
from ftcore.errors import FtcoreError, PluginError, UsageError
from ftcore.plugins.discovery import LOAD_VARIABLE, Plugin, discover, wanted_by_environment
from ftcore.plugins.isolation import describe, isolated
from ftcore.plugins.registries import Kind, Registries
from ftcore.registry import Entry, parse_spec

if TYPE_CHECKING:
    from ftcore.interfaces import Backbone, DataBundle, FreezingStrategy, Metric, Task

SLOW_SECONDS = 2.0

_PRODUCTS: Mapping[str, type] = {
    "backbones": interfaces.Backbone,
    "freezing": interfaces.FreezingStrategy,
    "datasets": interfaces.DataBundle,
    "metrics": interfaces.Metric,
    "tasks": interfaces.Task,
}
_Context = Mapping[str, Any] | None

_log = logging.getLogger(__name__)


def plugin_manager(load: Collection[str] | None = None) -> Plugins:
    """Return a fresh manager of what is installed; nothing is imported yet.

    `load` names the third-party plugins, or their distributions, that may be loaded; by default
    those in FTCORE_LOAD_PLUGINS, or all where that is not set.
    """
    wanted = wanted_by_environment() if load is None else load
    found = discover()
    if wanted is None:
        return Plugins(found)
    for plugin in found:
        if not plugin.is_default and not any(map(plugin.answers_to, wanted)):
            plugin.state = "disabled"
    return Plugins(found, [w for w in wanted if not any(p.answers_to(w) for p in found)])


class Plugins(Registries):
    """The registries of every kind, filled as names are asked for.

    Iterating yields every installed `Plugin`. A registry holds what has been loaded so far:
    ask `entry` or `create` for a name, and call `load_all` before listing names.
    """

    def __init__(self, found: Sequence[Plugin], unknown: Sequence[str] = ()) -> None:
        super().__init__()
        self._found = list(found)
        self._unknown = list(unknown)  # names to load that nothing installed answers to
        self._reported: set[str] = set()

    def __iter__(self) -> Iterator[Plugin]:
        return iter(self._found)

    @property
    def failed(self) -> list[Plugin]:
        """The plugins that could not be loaded; nothing of theirs is registered."""
        return [plugin for plugin in self._found if plugin.state == "failed"]

    def disable_third_party(self) -> None:
        """Leave out every plugin that is neither in the box nor loaded yet."""
        for plugin in self._found:
            if not plugin.is_default and plugin.state == "not loaded":
                plugin.state = "disabled"

    def select(self, name: str) -> list[Plugin]:
        """Return the plugins that `name` means: one plugin, or all of a distribution."""
        selected = [plugin for plugin in self._found if plugin.answers_to(name)]
        if not selected:
            known = ", ".join(plugin.name for plugin in self._found) or "none"
            raise UsageError(f"no plugin {name!r} is installed; installed: {known}")
        return selected

    def load(self, plugin: Plugin) -> None:
        """Load one plugin, after those in the box; `plugin.state` says how it went."""
        self._load_default()
        self._load(plugin)

    def load_all(self) -> None:
        """Load every plugin that is not disabled, and log a warning for each that fails."""
        self._load_third_party()
        self._report_failures()

    def entry(self, kind: Kind, name: str) -> Entry[Any]:
        """Return what `name` stands for, loading no more than that takes.

        Raises UsageError for an unknown name; it mentions the plugins that failed to load or
        are disabled, since the name may be one of theirs.
        """
        registry = self[kind]
        if name not in registry:
            self._load_default()
        if name not in registry:
            self._load_third_party()
            if name in registry:
                self._report_failures()
        try:
            return registry.entry(name)
        except UsageError as error:
            raise UsageError(" ".join([str(error), *self._excuses()])) from None

    @overload
    def create(
        self, kind: Literal["backbones"], spec: str, context: _Context = None
    ) -> Backbone: ...
    @overload
    def create(
        self, kind: Literal["freezing"], spec: str, context: _Context = None
    ) -> FreezingStrategy: ...
    @overload
    def create(
        self, kind: Literal["datasets"], spec: str, context: _Context = None
    ) -> DataBundle: ...
    @overload
    def create(self, kind: Literal["metrics"], spec: str, context: _Context = None) -> Metric: ...
    @overload
    def create(self, kind: Literal["tasks"], spec: str, context: _Context = None) -> Task: ...
    def create(self, kind: Kind, spec: str, context: _Context = None) -> Any:
        """Make what `spec` names; `context` is as in `Registry.create`.

        Raises UsageError for what the spec gets wrong, the factory's own FtcoreError as it is,
        and PluginError with its cause where the factory raises anything else or makes something
        that is not of this kind. What the factory prints goes to stderr.
        """
        plugin, registry = self.entry(kind, parse_spec(spec).name).plugin, self[kind]
        product_type = _PRODUCTS[kind]
        try:
            with redirect_stdout(sys.stderr):
                product = registry.create(spec, context)
                fits = isinstance(product, product_type)
        except FtcoreError:
            raise
        except (Exception, SystemExit) as error:  # a border: the plugin's own code
            raise PluginError(
                f"plugin {plugin!r} could not make the {registry.kind} {spec!r}: {describe(error)}"
            ) from error
        if not fits:
            raise PluginError(
                f"plugin {plugin!r} made the {registry.kind} {spec!r}, but it is a "
                f"{type(product).__name__} and no {product_type.__name__} (see ftcore.interfaces)"
            )
        return product

    def _load_default(self) -> None:
        for plugin in self._found:
            if plugin.is_default:
                self._load(plugin)

    def _load_third_party(self) -> None:
        # After the box, so that a name in the box cannot be taken.
        self._load_default()
        for name in self._unknown:
            _log.warning("%s names %r, which is not installed", LOAD_VARIABLE, name)
        self._unknown.clear()
        for plugin in self._found:
            self._load(plugin)

    def _load(self, plugin: Plugin) -> None:
        if plugin.state != "not loaded" or plugin.entry_point is None:
            return
        start = time.perf_counter()
        try:
            with isolated():
                self.add(plugin.name, plugin.entry_point.load())
        except PluginError as error:
            self.remove(plugin.name)
            plugin.state, plugin.error, plugin.cause = "failed", str(error), error.__cause__
        except KeyboardInterrupt:
            self.remove(plugin.name)
            raise
        else:
            plugin.state, plugin.provides = "loaded", self.names(plugin.name)
        plugin.seconds = time.perf_counter() - start
        if plugin.seconds > SLOW_SECONDS:
            _log.warning(
                "plugin %r took %.1f s to load; it should import heavy modules in its factories",
                plugin.name,
                plugin.seconds,
            )

    def _report_failures(self) -> None:
        for plugin in self.failed:
            if plugin.name not in self._reported:
                self._reported.add(plugin.name)
                _log.warning("%s; %s", plugin.failure, plugin.remedy)

    def _excuses(self) -> Iterator[str]:
        """Sentences that say why a name may be missing."""
        for plugin in self.failed[:3]:
            yield f"{plugin.failure[0].upper()}{plugin.failure[1:]}; {plugin.remedy}."
        if len(self.failed) > 3:
            yield f"{len(self.failed) - 3} more failed: see ftcore plugins check."
        disabled = [plugin.name for plugin in self._found if plugin.state == "disabled"]
        if disabled:
            yield f"Disabled: {', '.join(disabled)}."
        if not any(plugin.is_default for plugin in self._found):
            yield "ftcore's own plugins are not installed: run pip install in its folder."
