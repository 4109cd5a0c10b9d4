from __future__ import annotations

import subprocess
import sys

import pytest

from ftcore.plugins import plugin_manager
from ftcore.plugins.discovery import discover
from tests.installation import Installation

IN_THE_BOX = {
    "classification",
    "classification-metrics",
    "digits",
    "folder",
    "freezing",
    "torchvision-backbones",
    "torchvision-datasets",
}


def test_what_ships_with_ftcore_comes_first(installation: Installation) -> None:
    installation.add_metric("aardvark", "m")
    installation.add_metric("zebra", "m")
    found = discover()
    default, others = found[: len(IN_THE_BOX)], found[len(IN_THE_BOX) :]
    assert {plugin.name for plugin in default} == IN_THE_BOX
    assert all(plugin.is_default for plugin in default)
    assert not any(plugin.is_default for plugin in others)
    names = [plugin.name for plugin in others]
    assert names.index("aardvark") < names.index("zebra")


def test_a_plugin_knows_its_distribution(installation: Installation) -> None:
    module = installation.add("ftcore-thing", "", entry_point="thing", attr="a.b")
    (plugin,) = plugin_manager().select("thing")
    assert (plugin.distribution, plugin.version, plugin.target) == (
        "ftcore-thing",
        "1.0",
        f"{module}:a.b",
    )
    assert plugin.state == "not loaded"


def test_being_in_the_box_cannot_be_claimed(installation: Installation) -> None:
    installation.add_metadata("impostor", "[ftcore]\nx = ftcore.default_plugins.freezing\n")
    (plugin,) = plugin_manager().select("impostor")
    assert not plugin.is_default


def test_equal_names_are_told_apart_by_the_distribution(installation: Installation) -> None:
    installation.add_metric("one", "a")
    installation.add("two", "", entry_point="one")
    installation.add("three", "", entry_point="freezing")
    names = [plugin.name for plugin in discover() if not plugin.is_default]
    assert {"one", "two/one", "three/freezing"} <= set(names)


@pytest.mark.parametrize("name", ["my-thing", "My_Thing", "my.thing", "entry"])
def test_a_plugin_answers_to_its_entry_point_and_to_its_distribution(
    installation: Installation, name: str
) -> None:
    installation.add("my-thing", "", entry_point="entry")
    assert [plugin.name for plugin in plugin_manager().select(name)] == ["entry"]


def test_the_first_copy_on_the_path_counts_as_it_does_for_imports(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.add_metric("twice", "old")
    nearer = Installation(installation.folder / "nearer")
    nearer.folder.mkdir()
    monkeypatch.syspath_prepend(nearer.folder)
    module = nearer.add_metric("twice", "new")
    (plugin,) = plugin_manager().select("twice")
    assert plugin.target == module


@pytest.mark.parametrize(
    ("entry_points", "is_named"),
    [("[ftcore]\nno equals sign\n", True), ("[other]\nno equals sign\n", False)],
)
def test_metadata_that_cannot_be_read_is_a_failed_plugin_if_it_is_for_ftcore(
    installation: Installation, entry_points: str, is_named: bool
) -> None:
    installation.add_metadata("unreadable", entry_points)
    installation.add_metric("sound", "m")
    plugins = plugin_manager()
    assert plugins.entry("metrics", "m").plugin == "sound"
    errors = [plugin.error for plugin in plugins.failed if plugin.name == "unreadable"]
    assert len(errors) == is_named
    assert all("metadata cannot be read" in error for error in errors)


def test_a_file_of_entry_points_that_is_no_text_is_passed_over(installation: Installation) -> None:
    installation.add_metadata("binary", "")
    (installation.folder / "binary-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff[ftcore]")
    assert "binary" not in {plugin.name for plugin in discover()}


def test_discovery_imports_no_plugin() -> None:
    code = (
        "import sys\n"
        "from ftcore.plugins import plugin_manager\n"
        "assert len(list(plugin_manager())) >= 7\n"
        "bad = [m for m in sys.modules if m.startswith('ftcore.default_plugins')]\n"
        "bad += [m for m in ('torch', 'numpy', 'click') if m in sys.modules]\n"
        "sys.exit(', '.join(bad) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
