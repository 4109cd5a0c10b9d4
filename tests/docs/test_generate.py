"""The generated pages: current or told apart, and of ftcore alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"

PLUGIN = """
import click
from ftcore import hookimpl

@hookimpl
def register_commands(cli):
    cli.add_command(click.Command("foreign"))
"""


def generate(folder: Path, *options: str, path: Path | None = None) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, str(GENERATE), "--folder", str(folder), *options],
        env=os.environ | {"COLUMNS": "200"} | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
    )
    return result.returncode, result.stdout


def test_a_page_is_current_until_it_is_changed(tmp_path: Path) -> None:
    assert generate(tmp_path / "reference") == (0, "")
    page = tmp_path / "reference" / "cli.md"
    assert generate(page.parent, "--check") == (0, "")
    page.write_text(page.read_text().replace("--backbone", "--bakbone"))
    code, diff = generate(page.parent, "--check")
    assert code == 1
    assert "\n-  --bakbone" in diff
    assert "\n+  --backbone" in diff


def test_a_page_that_is_not_there_is_not_current(tmp_path: Path) -> None:
    assert generate(tmp_path, "--check")[0] == 1
    assert not list(tmp_path.iterdir())


def test_the_pages_tell_of_ftcore_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    metadata = site / "foreign-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[ftcore]\nforeign = foreign_plugin\n")
    (site / "foreign_plugin.py").write_text(PLUGIN)
    assert generate(tmp_path / "with", path=site) == generate(tmp_path / "without") == (0, "")
    pages = [(tmp_path / name / "cli.md").read_text() for name in ("with", "without")]
    assert pages[0] == pages[1]
    assert "foreign" not in pages[0]
    shown = subprocess.run(
        [sys.executable, "-m", "ftcore", "--help"],
        env=os.environ | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert "foreign" in shown.stdout  # the plugin works
