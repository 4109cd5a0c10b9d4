from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

import click
import pytest

from ftcore import errors
from ftcore.cli import COMMANDS, build_cli, main
from ftcore.cli.border import exit_code_of
from ftcore.plugins import plugin_manager
from tests.installation import Installation

COMMAND = """
import click
from ftcore import ConfigError, hookimpl

@hookimpl
def register_commands(cli):
    cli.add_command(hello)

@click.command()
@click.option("--raising", type=click.Choice(["no", "bug", "config"]), default="no")
def hello(raising):
    '''Say hello.'''
    click.echo("hello")
    if raising == "bug":
        raise ZeroDivisionError("by me")
    if raising == "config":
        raise ConfigError("not so")
"""


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def fail(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (errors.FtcoreError("failed"), 1, "Error: failed"),
        (errors.UsageError("wrong"), 2, "Error: wrong"),
        (errors.ConfigError("two\nlines"), 3, "Error: two lines"),
        (errors.PluginError("p"), 3, "Error: p"),
        (errors.NumericalError("nan"), 4, "Error: nan"),
        (errors.RequirementError("low"), 5, "Error: low"),
        (errors.StoppedError("stopped"), 75, "stopped"),
        (OSError(28, "Disk full", "x"), 1, "Error: OSError: [Errno 28] Disk full: 'x'"),
        (BrokenPipeError("to a worker"), 1, "Error: BrokenPipeError: to a worker"),
        (click.UsageError("no such option"), 2, "Error: no such option"),
        (click.exceptions.Exit(0), 0, ""),
        (click.exceptions.Exit(7), 7, ""),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.Abort(), 130, "Interrupted."),
    ],
)
def test_every_end_has_its_exit_code_and_one_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code_of(fail(error), verbose=False) == code
    assert capsys.readouterr() == ("", line + "\n" if line else "")


def test_any_other_exception_is_a_bug_to_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(fail(ZeroDivisionError("by zero")), verbose=False) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ZeroDivisionError: by zero (a bug in ftcore: please report it")
    assert "FTCORE_DEBUG=1" in line


@pytest.mark.parametrize("error", [errors.UsageError("wrong"), ZeroDivisionError("by zero")])
def test_the_traceback_comes_when_asked_for(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code_of(fail(error), verbose=True)
    *traceback, last = capsys.readouterr().err.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert last.startswith("Error: ")


@pytest.mark.parametrize(
    ("arguments", "debug", "is_shown"),
    [
        (["nope"], "", False),
        (["nope"], "0", False),
        (["nope"], "1", True),
        (["nope", "-v"], "", True),
        (["nope", "--verbose"], "", True),
    ],
)
def test_v_or_the_environment_ask_for_the_traceback(
    arguments: list[str],
    debug: str,
    is_shown: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FTCORE_DEBUG", debug)
    assert main(arguments) == 2
    assert ("Traceback" in capsys.readouterr().err) == is_shown


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["rnu"], 2, "unknown command 'rnu'. Did you mean 'run'?"),
        (["--nope"], 2, "No such option '--nope'"),
        (["list"], 2, "Missing argument"),
        (["list", "backbone"], 2, "'backbone' is not one of"),
        (["run", "--epochs", "many"], 2, "'many' is not a valid"),
    ],
)
def test_wrong_arguments_end_with_2_and_say_what_is_wrong(
    arguments: list[str], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert line in err
    assert "Traceback" not in err


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"ftcore {version('ftcore')}\n"


def test_the_help_names_every_command_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-plugins", "--help"]) == 0
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(len(line.split()) > 2 for line in lines), "each says what it does"


HEAVY = ("torch", "torchvision", "scipy", "sklearn", "matplotlib")


def test_what_only_looks_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import ftcore\n"
        "from ftcore.cli import main\n"
        "for arguments in (['--help'], ['--version'], ['plugins', 'list'], ['list', 'backbones'],\n"
        "                  ['list', 'metrics', '--json'], ['completion', 'bash']):\n"
        "    assert main(['--no-plugins', *arguments]) == 0, arguments\n"
        f"    heavy = [m for m in {HEAVY} if m in sys.modules]\n"
        "    assert not heavy, (arguments, heavy)\n"
    )
    done = python("-W", "error", "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_and_the_script_are_the_same_command() -> None:
    done = python("-m", "ftcore", "nope", FTCORE_LOAD_PLUGINS="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Error: unknown command 'nope'.")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_ends_it_quietly(unbuffered: str) -> None:
    code = (
        "import os, sys\n"
        "from ftcore.cli import main\n"
        "read, write = os.pipe()\n"
        "os.close(read)\n"
        "os.dup2(write, 1)\n"
        "sys.exit(main(['list', 'freezing']))\n"
    )
    done = python("-c", code, PYTHONUNBUFFERED=unbuffered, FTCORE_LOAD_PLUGINS="")
    assert (done.returncode, done.stderr) == (141, "")


def test_completion_offers_commands_and_loads_no_plugin(installation: Installation) -> None:
    installation.add("loud", "print('loaded')\n")
    done = python(
        "-m",
        "ftcore",
        _FTCORE_COMPLETE="bash_complete",
        COMP_WORDS="ftcore p",
        COMP_CWORD="1",
        PYTHONPATH=str(installation.folder),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["plain,predict", "plain,plugins"]


@pytest.mark.parametrize(
    ("arguments", "code", "err"),
    [
        ([], 0, ""),
        (["--raising", "config"], 3, "Error: not so"),
        (["--raising", "bug"], 3, "Error: command 'hello' of plugin 'greeter' failed: ZeroDivis"),
    ],
)
def test_a_plugin_can_add_a_command(
    installation: Installation,
    arguments: Sequence[str],
    code: int,
    err: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installation.add("greeter", COMMAND)
    assert main(["hello", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == "hello\n"
    assert err in printed.err
    assert (printed.err == "") == (err == "")


def test_the_help_lists_the_plugin_s_command_last_unless_told_not_to(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.add("greeter", COMMAND)
    assert main(["--help"]) == 0
    assert "hello" in capsys.readouterr().out.splitlines()[-1]
    for arguments in (["--no-plugins", "--help"], ["--help", "--no-plugins"]):
        assert main(arguments) == 0
        assert "hello" not in capsys.readouterr().out
    assert main(["--no-plugins", "hello"]) == 2
    assert re.search(r"Disabled: .*greeter", capsys.readouterr().err)


def test_a_built_in_command_cannot_be_taken(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    taking = COMMAND.replace("def hello", "def completion").replace("(hello)", "(completion)")
    installation.add("taker", taking)
    assert main(["--help"]) == 0
    out, err = capsys.readouterr()
    assert "plugins 'ftcore' and 'taker' both register command 'completion'" in err
    assert "completion script" in out


def test_a_built_in_command_loads_no_plugin(installation: Installation) -> None:
    module = installation.add("sound", "")
    assert main(["completion", "bash"]) == 0
    assert module not in sys.modules


def test_options_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTCORE_RUN_EPOCHS", "many")
    assert main(["run"]) == 2
    assert "'many'" in capsys.readouterr().err


def test_building_it_twice_over_the_same_plugins_is_no_conflict() -> None:
    plugins = plugin_manager(load=())
    first, second = build_cli(plugins), build_cli(plugins)
    context = click.Context(first, resilient_parsing=True)
    assert first.list_commands(context) == second.list_commands(context) == list(COMMANDS)
