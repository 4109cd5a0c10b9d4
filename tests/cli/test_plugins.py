from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ftcore.cli import main
from tests.installation import Installation


def test_list_shows_what_is_installed_and_loads_nothing(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    module = installation.add("broken", "raise ImportError('no luck')\n")
    assert main(["plugins", "list"]) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    assert ["broken", "broken", "1.0", module, "not", "loaded"] in rows
    assert rows[0][:2] == ["classification", "ftcore"]
    assert err == ""
    assert module not in sys.modules


def test_list_in_json_says_the_same(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    module = installation.add_metric("sound", "m")
    assert main(["--no-plugins", "plugins", "list", "--json"]) == 0
    plugins = {plugin["name"]: plugin for plugin in json.loads(capsys.readouterr().out)}
    assert plugins["freezing"]["in_the_box"]
    assert plugins["sound"] == {
        "name": "sound",
        "distribution": "sound",
        "version": "1.0",
        "target": module,
        "in_the_box": False,
        "state": "disabled",
        "seconds": None,
        "provides": {},
        "error": None,
        "remedy": None,
    }


def test_check_loads_every_plugin_and_says_what_it_gives(
    installation: Installation,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installation.add_metric("sound", "m")
    monkeypatch.setenv("FTCORE_LOAD_PLUGINS", "sound")
    assert main(["plugins", "check"]) == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if "sound" in line]
    assert line.startswith("ok        sound (sound 1.0) in 0.")
    assert line.endswith(" s: metrics m")
    assert "freezing auto, bottom, discriminative and 7 more" in out


@pytest.mark.parametrize("name", [[], ["broken"], ["my-broken"]])
def test_check_ends_with_3_and_names_what_is_broken_with_its_remedy(
    installation: Installation, name: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    installation.add("my-broken", "raise ImportError('no luck')\n", entry_point="broken")
    assert main(["plugins", "check", *name]) == 3
    out, err = capsys.readouterr()
    assert "failed    broken (my-broken 1.0): ImportError: no luck\n" in out
    assert "pip uninstall my-broken" in out
    (line,) = err.splitlines()
    assert line.startswith("Error: 1 of ")
    assert line.endswith(" plugins failed: broken")


def test_check_of_one_plugin_does_not_load_the_others(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    other = installation.add_metric("other", "m")
    installation.add_metric("sound", "n")
    assert main(["plugins", "check", "sound"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert other not in sys.modules


def test_check_shows_the_traceback_with_v_and_errors_in_json(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    module = installation.add("broken", "raise ImportError('no luck')\n")
    assert main(["plugins", "check", "broken", "--json", "-v"]) == 3
    out, err = capsys.readouterr()
    (plugin,) = json.loads(out)
    assert (plugin["state"], plugin["error"]) == ("failed", "ImportError: no luck")
    assert "pip uninstall broken" in plugin["remedy"]
    assert f'{module}.py", line 1' in err


def test_check_of_a_plugin_that_is_not_installed_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plugins", "check", "nope"]) == 2
    assert "no plugin 'nope' is installed" in capsys.readouterr().err


def test_new_says_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "my-own", "--kind", "metric", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"{tmp_path / 'ftcore-my-own'} is a complete package" in out
    assert "ftcore plugins check ftcore-my-own" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["My-Own", "--kind", "metric"], 2, "'My-Own' is no name for a plugin"),
        (["accuracy", "--kind", "metric"], 2, "'classification-metrics' already has the metric"),
        (["my-own", "--kind", "optimizer"], 2, "'optimizer' is not one of"),
        (["my-own"], 2, "Missing option '--kind'"),
    ],
)
def test_new_refuses_what_cannot_be(
    arguments: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plugins", "new", *arguments, "--out", str(tmp_path)]) == code
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
