"""The registries of every kind, and how pluggy fills them from one plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pluggy

from ftcore import hookspecs
from ftcore.errors import PluginError
from ftcore.registry import Registry

if TYPE_CHECKING:
    import click

    from ftcore.interfaces import Backbone, DataBundle, FreezingStrategy, Metric, Task

T = TypeVar("T")

# One word in the hooks (register_backbones), the registries and `ftcore list backbones`.
Kind = Literal["backbones", "freezing", "datasets", "metrics", "tasks", "commands"]


class Registries:
    """One registry for each kind of product, and one for the commands: by attribute or key."""

    def __init__(self) -> None:
        self.backbones: Registry[Backbone] = Registry("backbone")
        self.freezing: Registry[FreezingStrategy] = Registry("freezing strategy")
        self.datasets: Registry[DataBundle] = Registry("dataset")
        self.metrics: Registry[Metric] = Registry("metric")
        self.tasks: Registry[Task] = Registry("task")
        self.commands: Registry[click.Command] = Registry("command")
        self._by_kind: Mapping[Kind, Registry[Any]] = {
            "backbones": self.backbones,
            "freezing": self.freezing,
            "datasets": self.datasets,
            "metrics": self.metrics,
            "tasks": self.tasks,
            "commands": self.commands,
        }

    def __getitem__(self, kind: Kind) -> Registry[Any]:
        return self._by_kind[kind]

    def add(self, plugin: str, implementation: object) -> None:
        """Call the hooks that `implementation` has, as `plugin`.

        Raises PluginError or pluggy's PluginValidationError for what breaks the contract, and
        whatever the hooks raise; names registered until then stay: `remove` them.
        """
        # A pluggy manager each, so that nothing of one plugin can reach another's hooks.
        manager = pluggy.PluginManager("ftcore")
        manager.add_hookspecs(hookspecs)
        manager.register(implementation, plugin)
        manager.check_pending()
        if not manager.get_hookcallers(implementation):
            raise PluginError("it implements no hook; mark its functions with @ftcore.hookimpl")
        for kind, registry in self._by_kind.items():
            hook: pluggy.HookCaller = getattr(manager.hook, f"register_{kind}")
            if kind == "commands":
                self._add_commands(plugin, hook)
            else:
                hook(register=registry.registrar(plugin))
        self._read_options(plugin)

    def remove(self, plugin: str) -> None:
        """Forget everything that `plugin` registered."""
        for registry in self._by_kind.values():
            registry.remove(plugin)

    def names(self, plugin: str) -> dict[str, tuple[str, ...]]:
        """Return what `plugin` registered: names by kind."""
        names = {
            kind: tuple(entry.name for entry in registry if entry.plugin == plugin)
            for kind, registry in self._by_kind.items()
        }
        return {kind: given for kind, given in names.items() if given}

    def _add_commands(self, plugin: str, hook: pluggy.HookCaller) -> None:
        if not hook.get_hookimpls():
            return
        import click

        # A group of its own: what the plugin does to it, the command line does not feel.
        group = click.Group("ftcore")
        hook(cli=group)
        register = self.commands.registrar(plugin)
        for name, command in group.commands.items():
            register(name, _constant(command))

    def _read_options(self, plugin: str) -> None:
        # A factory whose options cannot be read would otherwise break every listing.
        for registry in self._by_kind.values():
            for entry in registry:
                if entry.plugin == plugin:
                    _ = entry.options


def _constant(value: T) -> Callable[[], T]:
    return lambda: value
