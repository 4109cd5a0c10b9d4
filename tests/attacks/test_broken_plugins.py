"""Ten broken plugins at once: what has nothing to do with them goes on, and each is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.installation import Installation

_HOOK = "import ftcore\n@ftcore.hookimpl\ndef register_metrics(register): "
BROKEN = {
    "import-error": ("import no_such_module\n", "ModuleNotFoundError"),
    "syntax-error": ("def :\n", "SyntaxError"),
    "raises": ("1 / 0\n", "ZeroDivisionError"),
    "exits": ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    "interrupts": ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
    "prints": ("print('{\"json\": no')\nraise ValueError('after printing')\n", "after printing"),
    "sleeps": ("import time\ntime.sleep(2.1)\nraise ValueError('at last')\n", "at last"),
    "wrong-signature": (_HOOK.replace("(register)", "(registry)") + "pass\n", "'registry'"),
    "duplicate-name": (_HOOK + "register('accuracy', lambda: 0)\n", "'accuracy'"),
    "unknown-hook": (_HOOK.replace("metrics", "metrix") + "pass\n", "unknown hook"),
}
COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "list": ["list", "metrics", "--json"],
    "plugins list": ["plugins", "list"],
    "check": ["plugins", "check"],
    "completion": ["completion", "zsh"],
    "run": ["run", "--weights", "none", "--dry-run", "--json", "--metric", "sound-metric"],
    "unknown name": ["run", "--metric", "no-such-metric"],
}
# What has to look at every plugin, and so meets the broken ones.
LOADING = ("help", "list", "run")

Results = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Each command in a fresh process, with all ten installed beside a sound one."""
    folder = tmp_path_factory.mktemp("site-packages")
    installation = Installation(folder)
    for name, (source, _) in BROKEN.items():
        installation.add(f"{name}-dist", source, entry_point=name)
    installation.add_metric("sound", "sound-metric")
    running = {key: _start(arguments, folder) for key, arguments in COMMANDS.items()}
    done: Results = {}
    for key, process in running.items():
        out, err = process.communicate()
        done[key] = subprocess.CompletedProcess(process.args, process.returncode, out, err)
    return done


def _start(arguments: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FTCORE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "ftcore", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder)},
    )


@pytest.mark.parametrize("key", ["version", "plugins list", "completion"])
def test_what_needs_no_plugin_does_not_notice_them(results: Results, key: str) -> None:
    done = results[key]
    assert done.returncode == 0, done.stderr
    assert not [name for name in BROKEN if name in done.stderr]


@pytest.mark.parametrize("key", LOADING)
def test_what_looks_at_all_plugins_goes_on_and_names_each_broken_one(
    results: Results, key: str
) -> None:
    done = results[key]
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    for name, (_, error) in BROKEN.items():
        (line,) = [line for line in lines if f"plugin '{name}' failed to load" in line]
        assert error in line
        assert f"pip uninstall {name}-dist" in line


@pytest.mark.parametrize("key", ["list", "run"])
def test_stdout_is_one_json_document_whatever_plugins_print(results: Results, key: str) -> None:
    assert json.loads(results[key].stdout)


def test_the_sound_plugin_beside_them_works(results: Results) -> None:
    names = [entry["name"] for entry in json.loads(results["list"].stdout)]
    assert "sound-metric" in names
    assert "accuracy" in names


def test_every_broken_plugin_is_listed(results: Results) -> None:
    listed = {line.split()[0] for line in results["plugins list"].stdout.splitlines()}
    assert listed >= BROKEN.keys()


def test_check_names_each_with_its_error_and_its_remedy(results: Results) -> None:
    done = results["check"]
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    for name, (_, error) in BROKEN.items():
        (index,) = [i for i, line in enumerate(lines) if line.startswith(f"failed    {name} (")]
        assert error in lines[index]
        assert f"pip uninstall {name}-dist" in lines[index + 1]
    assert f"Error: {len(BROKEN)} of " in done.stderr


def test_the_slow_one_is_named(results: Results) -> None:
    assert "plugin 'sleeps' took 2." in results["check"].stderr


def test_only_the_run_that_asks_for_an_unknown_name_fails(results: Results) -> None:
    done = results["unknown name"]
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "unknown metric 'no-such-metric'" in line
    assert "failed to load" in line
    assert done.stdout == ""
