"""The hooks of ftcore. A plugin implements those it needs with `ftcore.hookimpl`.

`register(name, factory)` takes a callable: its keyword parameters are the options of the spec,
the first line of its docstring is the summary that `ftcore list` shows. Registering is cheap:
import torch and other heavy modules inside the factory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import pluggy

if TYPE_CHECKING:
    import click

    from ftcore.interfaces import Backbone, DataBundle, FreezingStrategy, Metric, Task

hookspec = pluggy.HookspecMarker("ftcore")
hookimpl = pluggy.HookimplMarker("ftcore")

Register: TypeAlias = Callable[[str, Callable[..., Any]], None]


@hookspec
def register_backbones(register: Callable[[str, Callable[..., Backbone]], None]) -> None:
    """Register pretrained models; a factory gets `weights` and, if it asks, `input_shape`."""


@hookspec
def register_freezing(register: Callable[[str, Callable[..., FreezingStrategy]], None]) -> None:
    """Register freezing strategies: which parameters train, how and when."""


@hookspec
def register_datasets(register: Callable[[str, Callable[..., DataBundle]], None]) -> None:
    """Register named sources of examples."""


@hookspec
def register_metrics(register: Callable[[str, Callable[..., Metric]], None]) -> None:
    """Register pure functions of statistics."""


@hookspec
def register_tasks(register: Callable[[str, Callable[..., Task]], None]) -> None:
    """Register tasks: head, loss and statistics."""


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the `ftcore` command line."""
