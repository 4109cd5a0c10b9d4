"""Names become objects here: a registry maps a name to a factory and who gave it.

A spec names a plugin's product: `name`, `name:value`, or `name:key=value,key=value`.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ftcore.errors import PluginError, UsageError

T = TypeVar("T")
Factory = Callable[..., T]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_OPTION = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")


@dataclass(frozen=True)
class Spec:
    """A parsed spec: a name, and either one bare value or options by key."""

    name: str
    value: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.value is not None:
            return f"{self.name}:{self.value}"
        if self.options:
            return f"{self.name}:" + ",".join(f"{k}={v}" for k, v in self.options.items())
        return self.name


def parse_spec(text: str) -> Spec:
    """Parse `name`, `name:value` or `name:key=value,key=value`; UsageError where it is neither.

    A comma separates options only where a `key=` follows it, so that values may hold commas.
    """
    name, colon, rest = text.partition(":")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{text!r} is no spec: write name, name:value or name:key=value,key=value")
    if not colon:
        return Spec(name)
    if not rest:
        raise UsageError(f"{text!r} ends in a colon: give a value after it, or leave it out")
    if not _OPTION.match(rest):
        return Spec(name, value=rest)
    options: dict[str, str] = {}
    for part in re.split(r",(?=[A-Za-z_][A-Za-z0-9_]*=)", rest):
        key, _, value = part.partition("=")
        if key in options:
            raise UsageError(f"{text!r} gives {key!r} twice")
        options[key] = value
    return Spec(name, options=options)


@dataclass(frozen=True)
class Option:
    """One keyword parameter of a factory, as a spec may set it."""

    name: str
    annotation: Any
    default: Any  # inspect.Parameter.empty where the spec must give it

    @property
    def is_required(self) -> bool:
        """Whether a spec must give this option."""
        return self.default is inspect.Parameter.empty

    def __str__(self) -> str:
        return self.name if self.is_required else f"{self.name}={self.default}"

    def convert(self, text: str, spec: object) -> Any:
        """Read `text` as this option's type; UsageError names the option and the value."""
        try:
            return _convert(text, self.annotation)
        except ValueError as error:
            raise UsageError(f"{spec}: option {self.name!r} is {text!r}, but {error}") from None


def _convert(text: str, annotation: Any) -> Any:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        choices = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        if text.lower() == "none" and len(choices) < len(typing.get_args(annotation)):
            return None
        for kind in choices[:-1]:
            try:
                return _convert(text, kind)
            except ValueError:
                continue
        return _convert(text, choices[-1])
    if origin is typing.Literal:
        values = typing.get_args(annotation)
        for value in values:
            if text == str(value):
                return value
        raise ValueError(f"must be one of {', '.join(map(str, values))}")
    if annotation is bool:
        if text.lower() in ("true", "yes", "1", "on"):
            return True
        if text.lower() in ("false", "no", "0", "off"):
            return False
        raise ValueError("must be true or false")
    if annotation in (int, float):
        try:
            return annotation(text)
        except ValueError:
            noun = "a whole number" if annotation is int else "a number"
            raise ValueError(f"must be {noun}") from None
    if annotation is Path:
        return Path(text).expanduser()
    return text


def _evaluate(annotation: Any, factory: object) -> Any:
    # One by one, since a return annotation may name what is only imported for type checking.
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(_namespace(factory)))
    except NameError:
        return str


def _namespace(factory: Any) -> Mapping[str, Any]:
    """The names that the annotations of a function, class or callable object may use."""
    while isinstance(factory, functools.partial):
        factory = factory.func
    factory = inspect.unwrap(factory)
    if inspect.isroutine(factory):
        return getattr(factory, "__globals__", {})  # those written in C have none
    kind = factory if inspect.isclass(factory) else type(factory)
    return vars(sys.modules[kind.__module__])


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A registered name: its factory, and the plugin that gave it."""

    name: str
    factory: Factory[T]
    plugin: str

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return (inspect.getdoc(self.factory) or "").partition("\n")[0]

    @property
    def options(self) -> tuple[Option, ...]:
        """The factory's keyword parameters, in order."""
        return tuple(
            Option(p.name, _evaluate(p.annotation, self.factory), p.default)
            for p in inspect.signature(self.factory).parameters.values()
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        )


class Registry(Generic[T]):
    """The names of one kind of plugin product, such as backbones.

    A name registered twice is refused, naming both plugins.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[T]] = {}

    def registrar(self, plugin: str) -> Callable[[str, Factory[T]], None]:
        """Return the `register(name, factory)` that is handed to `plugin`."""

        def register(name: str, factory: Factory[T]) -> None:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise PluginError(
                    f"plugin {plugin!r} registers {self.kind} {name!r}: no valid name"
                )
            if not callable(factory):
                raise PluginError(
                    f"plugin {plugin!r} registers {self.kind} {name!r} with {factory!r}, "
                    "which is not callable; pass the function that makes it"
                )
            if name in self._entries:
                other = self._entries[name].plugin
                raise PluginError(
                    f"plugins {other!r} and {plugin!r} both register {self.kind} {name!r}; "
                    "uninstall one of them, or choose with FTCORE_LOAD_PLUGINS"
                )
            self._entries[name] = Entry(name, factory, plugin)

        return register

    def remove(self, plugin: str) -> None:
        """Forget every name that `plugin` gave."""
        self._entries = {n: e for n, e in self._entries.items() if e.plugin != plugin}

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[Entry[T]]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, name: str) -> Entry[T]:
        """Return what `name` stands for; UsageError suggests the nearest names."""
        try:
            return self._entries[name]
        except KeyError:
            raise UsageError(f"unknown {self.kind} {name!r}.{self._hint(name)}") from None

    def create(self, spec: str, context: Mapping[str, Any] | None = None) -> T:
        """Make what `spec` names.

        `context` holds values the factory gets for the parameters of those names that the spec
        does not set; those it does not declare are not passed. Raises UsageError for an unknown
        name or option and for a value of the wrong type, PluginError when the factory breaks.
        """
        parsed = parse_spec(spec)
        entry = self.entry(parsed.name)
        arguments = self._arguments(entry, parsed, context or {})
        return entry.factory(**arguments)

    def _arguments(self, entry: Entry[T], spec: Spec, context: Mapping[str, Any]) -> dict[str, Any]:
        options = {option.name: option for option in entry.options}
        arguments = {key: value for key, value in context.items() if key in options}
        given = dict(spec.options)
        if spec.value is not None:
            free = [name for name in options if name not in context]
            if not free:
                raise UsageError(f"{spec}: {self.kind} {spec.name!r} takes no value")
            given = {free[0]: spec.value}
        for key, text in given.items():
            if key not in options:
                known = ", ".join(map(str, options.values())) or "none"
                raise UsageError(
                    f"{spec}: {self.kind} {spec.name!r} has no option {key!r}; its options: {known}"
                )
            arguments[key] = options[key].convert(text, spec)
        for option in options.values():
            if option.is_required and option.name not in arguments:
                raise UsageError(
                    f"{spec}: {self.kind} {spec.name!r} needs {option.name!r}, "
                    f"as in {spec.name}:{option.name}=…"
                )
        return arguments

    def _hint(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._entries, n=3, cutoff=0.6)
        if near:
            return " Did you mean " + " or ".join(map(repr, near)) + "?"
        if len(self._entries) <= 12:
            return f" Known: {', '.join(sorted(self._entries)) or 'none'}."
        return ""
