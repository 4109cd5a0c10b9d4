from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from ftcore.errors import PluginError, UsageError
from ftcore.registry import Registry, Spec, parse_spec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("resnet18", Spec("resnet18")),
        ("bottom:2", Spec("bottom", value="2")),
        ("step:every=7,gamma=0.1", Spec("step", options={"every": "7", "gamma": "0.1"})),
        ("folder:path=/a,b,val=c", Spec("folder", options={"path": "/a,b", "val": "c"})),
        ("folder:path=a=b", Spec("folder", options={"path": "a=b"})),
        ("match:layer4.*,*.bn?.weight", Spec("match", value="layer4.*,*.bn?.weight")),
        ("folder:C:/data", Spec("folder", value="C:/data")),
        ("step:every=", Spec("step", options={"every": ""})),
    ],
)
def test_a_spec_is_a_name_with_one_value_or_options(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec
    assert str(spec) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no spec"),
        (":2", "is no spec"),
        ("two words", "is no spec"),
        ("-x", "is no spec"),
        ("bottom:", "ends in a colon"),
        ("step:every=1,every=2", "gives 'every' twice"),
    ],
)
def test_what_is_no_spec_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        parse_spec(text)
    assert repr(text) in str(caught.value)


def echo(
    text: str = "",
    count: int = 0,
    rate: float = 0.0,
    flag: bool = False,
    path: Path | None = None,
    mode: Literal["slow", "fast"] = "slow",
    either: int | str = 0,
) -> dict[str, Any]:
    """Return the arguments.

    This is not the summary.
    """
    return dict(locals())


def registry_of(**factories: Any) -> Registry[Any]:
    registry: Registry[Any] = Registry("thing")
    for name, factory in factories.items():
        registry.registrar("tests")(name, factory)
    return registry


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("text=a b", "a b"),
        ("count=-3", -3),
        ("rate=1e-3", 1e-3),
        ("flag=yes", True),
        ("flag=OFF", False),
        ("path=a/b", Path("a/b")),
        ("path=none", None),
        ("path=~", Path.home()),
        ("mode=fast", "fast"),
        ("either=3", 3),
        ("either=layer3", "layer3"),
    ],
)
def test_options_are_read_as_their_types(option: str, value: object) -> None:
    got = registry_of(echo=echo).create(f"echo:{option}")[option.partition("=")[0]]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("echo:count=many", "option 'count' is 'many', but must be a whole number"),
        ("echo:count=1.5", "must be a whole number"),
        ("echo:rate=fast", "option 'rate' is 'fast', but must be a number"),
        ("echo:flag=maybe", "must be true or false"),
        ("echo:mode=medium", "must be one of slow, fast"),
        ("echo:size=3", "has no option 'size'; its options: text=, count=0, rate=0.0"),
        ("none:3", "takes no value"),
        ("needy", "needs 'path', as in needy:path=…"),
    ],
)
def test_a_wrong_option_is_refused_with_its_spec(spec: str, message: str) -> None:
    def none() -> None: ...

    def needy(path: Path) -> Path:
        return path

    with pytest.raises(UsageError, match=message) as caught:
        registry_of(echo=echo, none=none, needy=needy).create(spec)
    assert str(caught.value).startswith(spec)


def test_a_bare_value_goes_to_the_first_parameter_that_the_context_does_not_set() -> None:
    def make(weights: str, size: int = 0) -> tuple[str, int]:
        return weights, size

    registry = registry_of(make=make)
    context = {"weights": "none", "not a parameter": 1}
    assert registry.create("make:3", context) == ("none", 3)
    assert registry.create("make:weights=imagenet", context) == ("imagenet", 0)


@dataclass(frozen=True)
class Made:
    mode: Literal["slow", "fast"] = "slow"


class Caller:
    def __call__(self, mode: Literal["slow", "fast"] = "slow") -> str:
        return mode


def make_mode(name: str, mode: Literal["slow", "fast"] = "slow") -> str:
    return name + mode


@pytest.mark.parametrize(
    "factory", [Made, Caller(), functools.partial(make_mode, "x")], ids=["class", "object", "part"]
)
def test_any_callable_can_be_a_factory_and_keeps_its_types(factory: Any) -> None:
    registry = registry_of(thing=factory)
    assert registry.create("thing:fast") == factory(mode="fast")
    with pytest.raises(UsageError, match="must be one of slow, fast"):
        registry.create("thing:medium")


def test_an_annotation_that_only_type_checkers_know_is_read_as_text() -> None:
    def make(value: Unknown = "") -> str:  # type: ignore[name-defined]  # noqa: F821
        return str(value)

    assert registry_of(make=make).create("make:3") == "3"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("resnet1", "Did you mean 'resnet18' or 'resnet34'?"),
        ("zebra", "Known: resnet18, resnet34."),
    ],
)
def test_an_unknown_name_comes_with_near_or_known_ones(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        registry_of(resnet34=echo, resnet18=echo).create(name)
    assert str(caught.value) == f"unknown thing {name!r}. {hint}"


def test_a_name_registered_twice_is_refused_naming_both_plugins() -> None:
    registry: Registry[Any] = Registry("thing")
    registry.registrar("first")("x", echo)
    with pytest.raises(PluginError, match="plugins 'first' and 'second' both register thing 'x'"):
        registry.registrar("second")("x", echo)
    assert registry.entry("x").plugin == "first"


@pytest.mark.parametrize(
    ("name", "factory", "message"),
    [
        ("", echo, "no valid name"),
        ("a:b", echo, "no valid name"),
        (3, echo, "no valid name"),
        ("x", 3, "which is not callable"),
    ],
)
def test_what_cannot_be_registered_is_refused(name: Any, factory: Any, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        Registry[Any]("thing").registrar("tests")(name, factory)


def test_what_a_plugin_gave_can_be_removed() -> None:
    registry = registry_of(keep=echo)
    for name in ("a", "b"):
        registry.registrar("other")(name, echo)
    registry.remove("other")
    assert [entry.name for entry in registry] == ["keep"]
    assert len(registry) == 1
    assert "a" not in registry


def test_entries_are_in_order_and_say_what_they_are() -> None:
    first, second = registry_of(zebra=make_mode, ant=echo)
    assert (first.name, second.name) == ("ant", "zebra")
    assert first.summary == "Return the arguments."
    assert second.summary == ""
    assert [str(option) for option in second.options] == ["name", "mode=slow"]
