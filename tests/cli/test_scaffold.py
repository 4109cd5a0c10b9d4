from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ftcore.cli.scaffold import KINDS, write_package
from ftcore.errors import ConfigError, UsageError
from ftcore.plugins import plugin_manager
from tests.installation import Installation


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A new package of each kind."""
    out = tmp_path_factory.mktemp("packages")
    plugins = plugin_manager(load=())
    return {kind: write_package(plugins, f"my-{kind}", kind, out) for kind in KINDS}


def test_every_package_passes_its_own_tests_as_written(packages: dict[str, Path]) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, packages.values()))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        + [str(folder) for folder in packages.values()],
        capture_output=True,
        text=True,
        check=False,
        cwd=packages["metric"].parent,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in KINDS:
        assert list(packages[kind].glob("tests/test_*.py")), kind


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_point_of_a_package_gives_its_kind(
    packages: dict[str, Path],
    kind: str,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = tomllib.loads((packages[kind] / "pyproject.toml").read_text(encoding="utf-8"))
    (entry_point,) = project["project"]["entry-points"]["ftcore"].items()
    installation.add_metadata(
        project["project"]["name"], "[ftcore]\n{} = {}\n".format(*entry_point)
    )
    monkeypatch.syspath_prepend(packages[kind])
    plugins = plugin_manager(load=[f"ftcore-my-{kind}"])
    plugins.load_all()
    assert plugins.failed == []
    entry = plugins.entry(KINDS[kind], f"my-{kind}")
    assert entry.plugin == f"my-{kind}"
    assert entry.summary
    assert project["tool"]["setuptools"]["py-modules"] == [entry_point[1]]


def test_the_readme_has_a_command_that_uses_it(packages: dict[str, Path]) -> None:
    options = ("backbone", "freeze", "dataset", "metric", "task")
    for option, (kind, folder) in zip(options, packages.items(), strict=True):
        assert f"--{option} my-{kind}" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["", "Upper", "with space", "2fast", "a--b", "a-", "under_score", "../up", "ftcore-"]
)
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no name for a plugin"):
        write_package(plugin_manager(load=()), name, "metric", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["class", "none", "metric", "torch", "ftcore-json"])
def test_names_that_mean_something_in_python_are_no_trouble(name: str, tmp_path: Path) -> None:
    folder = write_package(plugin_manager(load=()), name, "metric", tmp_path)
    (module,) = folder.glob("*.py")
    compile(module.read_text(encoding="utf-8"), module, "exec")
    assert module.stem == "ftcore_" + name.removeprefix("ftcore-")


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "ftcore-mine").mkdir()
    with pytest.raises(ConfigError, match="exists; choose another name"):
        write_package(plugin_manager(load=()), "mine", "metric", tmp_path)
    assert list((tmp_path / "ftcore-mine").iterdir()) == []


def test_where_nothing_can_be_written_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot make the folder"):
        write_package(plugin_manager(load=()), "mine", "metric", tmp_path / "file")

    def full(self: Path, text: str, encoding: str) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        write_package(plugin_manager(load=()), "mine", "metric", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
