from __future__ import annotations

import sys

import pytest

from ftcore.errors import PluginError, UsageError
from ftcore.plugins import Plugin, Plugins, plugin_manager
from tests.installation import METRIC, Installation

BROKEN = {
    "import": ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
    "syntax": ("def :\n", "SyntaxError: invalid syntax"),
    "raise": ("raise RuntimeError('at import')\n", "RuntimeError: at import"),
    "exit": ("raise SystemExit(3)\n", "SystemExit: 3"),
    "interrupt": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "empty": ("", "it implements no hook; mark its functions with @ftcore.hookimpl"),
    "unknown hook": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metric(register): ...\n",
        "unknown hook 'register_metric'",
    ),
    "signature": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metrics(registry): ...\n",
        "Argument(s) {'registry'} are declared in the hookimpl but can not be found",
    ),
    "no factory": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metrics(register): register('m', 3)\n",
        "with 3, which is not callable",
    ),
    "no name": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metrics(register): register('a b', dict)\n",
        "registers metric 'a b': no valid name",
    ),
    "no signature": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metrics(register): register('m', dict)\n",
        "no signature found",
    ),
    "hook raises": (
        "import ftcore\n@ftcore.hookimpl\ndef register_metrics(register):\n"
        "    register('half', lambda: 0)\n    raise KeyError('in the hook')\n",
        "KeyError: 'in the hook'",
    ),
    "command in the way": (
        "import click, ftcore\n@ftcore.hookimpl\ndef register_commands(cli):\n"
        "    cli.command('a b')(lambda: None)\n",
        "registers command 'a b': no valid name",
    ),
}


def only(plugins: Plugins, name: str) -> Plugin:
    (plugin,) = plugins.select(name)
    return plugin


def test_a_name_in_the_box_loads_the_box_alone(installation: Installation) -> None:
    module = installation.add_metric("sound", "m")
    plugins = plugin_manager()
    assert plugins.entry("freezing", "bottom").plugin == "freezing"
    assert only(plugins, "sound").state == "not loaded"
    assert module not in sys.modules


def test_a_name_that_is_not_in_the_box_loads_the_others(installation: Installation) -> None:
    installation.add_metric("sound", "m")
    plugins = plugin_manager()
    assert plugins.create("metrics", "m").compute(None) == 1.0  # type: ignore[arg-type]
    plugin = only(plugins, "sound")
    assert (plugin.state, plugin.provides) == ("loaded", {"metrics": ("m",)})
    assert plugin.seconds is not None


@pytest.mark.parametrize("key", BROKEN)
def test_a_broken_plugin_is_quarantined_and_named(
    installation: Installation, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, error = BROKEN[key]
    installation.add("broken", source)
    installation.add_metric("sound", "m")
    plugins = plugin_manager()
    assert plugins.entry("metrics", "m").plugin == "sound"
    plugin = only(plugins, "broken")
    assert plugin.state == "failed"
    assert error in plugin.error
    assert "\n" not in plugin.error
    assert plugin.cause is not None
    assert not any(entry.plugin == "broken" for entry in plugins.metrics)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert warning == f"plugin 'broken' failed to load: {plugin.error}; {plugin.remedy}"
    for part in ("pip uninstall broken", "--no-plugins", "FTCORE_LOAD_PLUGINS"):
        assert part in warning


def test_an_unknown_name_is_excused_by_the_plugins_that_failed(installation: Installation) -> None:
    for number in range(5):
        installation.add(f"broken-{number}", BROKEN["raise"][0])
    with pytest.raises(UsageError, match="unknown metric 'nope'") as caught:
        plugin_manager().create("metrics", "nope")
    message = str(caught.value)
    assert "Plugin 'broken-0' failed to load: RuntimeError: at import" in message
    assert "pip uninstall broken-0" in message
    assert "2 more failed: see ftcore plugins check." in message


def test_a_name_in_the_box_cannot_be_taken(installation: Installation) -> None:
    installation.add("thief", METRIC.format(name="accuracy"))
    plugins = plugin_manager()
    plugins.load_all()
    error = only(plugins, "thief").error
    assert "plugins 'classification-metrics' and 'thief' both register metric 'accuracy'" in error
    assert plugins.entry("metrics", "accuracy").plugin == "classification-metrics"


def test_of_two_plugins_with_one_name_the_first_keeps_it(installation: Installation) -> None:
    installation.add_metric("one", "m")
    task = "@hookimpl\ndef register_tasks(register):\n    register('t', Metric)\n"
    installation.add("two", METRIC.format(name="m") + task)
    plugins = plugin_manager()
    plugins.load_all()
    assert plugins.entry("metrics", "m").plugin == "one"
    assert "plugins 'one' and 'two' both register metric 'm'" in only(plugins, "two").error
    assert "t" not in plugins.tasks, "a plugin is quarantined as a whole"


@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_while_a_plugin_loads_stops_and_leaves_nothing_half_loaded(
    installation: Installation,
) -> None:
    press = "\nimport os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    module = installation.add("slow", METRIC.format(name="m") + press)
    plugins = plugin_manager()
    with pytest.raises(KeyboardInterrupt):
        plugins.load_all()
    assert only(plugins, "slow").state == "not loaded"
    (installation.folder / f"{module}.py").write_text(METRIC.format(name="m"), encoding="utf-8")
    assert plugins.entry("metrics", "m").plugin == "slow"


def test_a_slow_plugin_is_named(
    installation: Installation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcore.plugins.manager.SLOW_SECONDS", 0.0)
    installation.add_metric("slow", "m")
    plugins = plugin_manager()
    plugins.load_all()
    assert any("plugin 'slow' took" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("variable", "load", "loaded"),
    [
        (None, None, {"a", "b"}),
        ("", None, set()),
        ("a", None, {"a"}),
        (" dist-b , nonsense", None, {"b"}),
        ("a", [], set()),
        ("", ["b"], {"b"}),
    ],
)
def test_only_the_plugins_wanted_are_loaded(
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    load: list[str] | None,
    loaded: set[str],
) -> None:
    for name in "ab":
        installation.add(f"dist-{name}", METRIC.format(name=name), entry_point=name)
    if variable is not None:
        monkeypatch.setenv("FTCORE_LOAD_PLUGINS", variable)
    plugins = plugin_manager(load)
    plugins.load_all()
    states = {name: only(plugins, name).state for name in "ab"}
    assert states == {name: "loaded" if name in loaded else "disabled" for name in "ab"}
    assert "bottom" in plugins.freezing


def test_a_wanted_plugin_that_is_not_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FTCORE_LOAD_PLUGINS", "nonsense")
    plugin_manager().load_all()
    assert [record.getMessage() for record in caplog.records] == [
        "FTCORE_LOAD_PLUGINS names 'nonsense', which is not installed"
    ]


def test_a_disabled_plugin_is_told_where_its_name_is_missed(installation: Installation) -> None:
    installation.add_metric("sound", "m")
    plugins = plugin_manager()
    plugins.disable_third_party()
    with pytest.raises(UsageError, match=r"unknown metric 'm'.*Disabled: .*sound"):
        plugins.entry("metrics", "m")


OBJECT = '''
from dataclasses import dataclass
import ftcore

@dataclass
class Plugin:
    """Instances of it cannot be hashed."""
    name: str
    @ftcore.hookimpl
    def register_metrics(self, register):
        register(self.name, lambda: None)

plugin = Plugin("from-object")
'''


def test_a_plugin_may_be_an_object(installation: Installation) -> None:
    installation.add("object", OBJECT, attr="plugin")
    installation.add_metric("sound", "m")
    plugins = plugin_manager()
    assert plugins.entry("metrics", "from-object").plugin == "object"
    assert plugins.entry("metrics", "m").plugin == "sound"


FACTORIES = """
import sys
from ftcore import UsageError, hookimpl

def broken(): raise OSError("disk on fire")
def leaving(): sys.exit(7)
def refusing(): raise UsageError("not like this")
def wrong(): return "text"
def loud():
    print("hello")
    return type("M", (), dict(name="", needs=(), higher_is_better=True, compute=print))()

@hookimpl
def register_metrics(register):
    for factory in (broken, leaving, refusing, wrong, loud):
        register(factory.__name__, factory)
"""


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("broken", "plugin 'maker' could not make the metric 'broken': OSError: disk on fire"),
        ("leaving", "plugin 'maker' could not make the metric 'leaving': SystemExit: 7"),
        ("wrong", "plugin 'maker' made the metric 'wrong', but it is a str and no Metric"),
    ],
)
def test_a_factory_that_breaks_is_a_plugin_error(
    installation: Installation, spec: str, message: str
) -> None:
    installation.add("maker", FACTORIES)
    with pytest.raises(PluginError) as caught:
        plugin_manager().create("metrics", spec)
    assert message in str(caught.value)
    assert (caught.value.__cause__ is None) == (spec == "wrong")


def test_a_factory_may_refuse_in_its_own_words(installation: Installation) -> None:
    installation.add("maker", FACTORIES)
    with pytest.raises(UsageError, match=r"^not like this$"):
        plugin_manager().create("metrics", "refusing")


def test_what_a_plugin_prints_goes_to_stderr(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.add("maker", "print('importing')\n" + FACTORIES)
    plugin_manager().create("metrics", "loud")
    assert capsys.readouterr() == ("", "importing\nhello\n")


def test_a_broken_plugin_in_the_box_is_reported_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ftcore.default_plugins.freezing", None)
    plugins = plugin_manager(load=())
    with pytest.raises(UsageError, match="Plugin 'freezing' failed to load: ModuleNotFound"):
        plugins.create("freezing", "bottom")
    assert "reinstall" in only(plugins, "freezing").remedy
    assert plugins.entry("metrics", "accuracy").plugin == "classification-metrics"


def test_managers_share_nothing(installation: Installation) -> None:
    installation.add_metric("sound", "m")
    first, second = plugin_manager(), plugin_manager()
    first.load_all()
    assert "m" in first.metrics
    assert "m" not in second.metrics
    assert only(second, "sound").state == "not loaded"


def test_an_unknown_plugin_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no plugin 'nope' is installed; installed: .*freezing"):
        plugin_manager().select("nope")
