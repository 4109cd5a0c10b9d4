from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from ftcore.cli import main
from tests.installation import Installation

STRATEGIES = """
from pathlib import Path
from typing import Literal
from ftcore import hookimpl

def strategy(stage: str, rate: float = 1 / 3, mode: Literal["a", "b"] = "a",
             file: Path | None = None, deep: bool = False):
    '''Train what is named.

    And more, which a list does not show.
    '''

@hookimpl
def register_freezing(register):
    register("mine", strategy)
"""
KINDS = ("backbones", "freezing", "datasets", "metrics", "tasks")


def as_json(kind: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["list", kind, "--json"]) == 0
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return listed


@pytest.mark.parametrize(
    ("kind", "name", "plugin"),
    [
        ("backbones", "resnet18", "torchvision-backbones"),
        ("freezing", "bottom", "freezing"),
        ("datasets", "digits", "digits"),
        ("metrics", "accuracy", "classification-metrics"),
        ("tasks", "classification", "classification"),
    ],
)
def test_every_kind_is_listed_with_who_gives_it(
    kind: str, name: str, plugin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = {entry["name"]: entry for entry in as_json(kind, capsys)}
    assert entries[name]["plugin"] == plugin
    assert entries[name]["distribution"] == "ftcore"
    assert entries[name]["summary"]


def test_json_describes_the_options(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.add("my-plugin", STRATEGIES, entry_point="entry")
    (mine,) = [entry for entry in as_json("freezing", capsys) if entry["name"] == "mine"]
    assert mine["summary"] == "Train what is named."
    assert (mine["plugin"], mine["distribution"]) == ("entry", "my-plugin")
    assert [tuple(option.values()) for option in mine["options"]] == [
        ("stage", "str", True, None),
        ("rate", "float", False, 1 / 3),
        ("mode", "Literal['a', 'b']", False, "a"),
        ("file", "pathlib.Path | None", False, None),
        ("deep", "bool", False, False),
    ]


def test_what_run_sets_by_its_own_options_is_no_option_of_a_backbone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = {option["name"] for e in as_json("backbones", capsys) for option in e["options"]}
    assert not options & {"weights", "input_shape", "image_size"}


def test_a_pipe_gets_one_name_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    names = [entry["name"] for entry in as_json("metrics", capsys)]
    assert main(["list", "metrics"]) == 0
    assert capsys.readouterr().out.splitlines() == names == sorted(names)


@pytest.mark.parametrize("columns", [50, 100])
def test_a_terminal_gets_specs_with_defaults_plugin_by_plugin(
    installation: Installation,
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installation.add("my-plugin", STRATEGIES, entry_point="entry")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["list", "freezing"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "freezing:"
    assert lines.index("freezing:") < lines.index("entry (my-plugin):")
    assert "  mine:stage=…,rate=0.3333,mode=a,file=none,deep=false" in lines
    assert "Train what is named." in " ".join(out.split())
    assert max(map(len, lines)) <= max(columns, 54)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_that_fails_is_named_on_stderr_alone(
    installation: Installation, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.add("broken", "print('noise')\nraise ImportError('no luck')\n")
    assert main(["list", kind, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    noise, warning = err.splitlines()
    assert noise == "noise"
    assert warning.startswith("Warning: plugin 'broken' failed to load: ImportError: no luck; ")
    assert "pip uninstall broken" in warning
