"""Writes the pages that are made from the code (`make docs`), or says which are not current.

The pages describe what ships with ftcore, whatever else is installed.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from ftcore.cli import build_cli
from ftcore.plugins import plugin_manager

WIDTH = 80
REFERENCE = Path(__file__).parent / "reference"

CLI_PAGE = """\
# Command line

What `--help` says of each command. Made by `docs/generate.py`; changes made here are lost.
"""


def describe_commands() -> str:
    """Return a page with the help of every command that ships with ftcore."""
    cli = build_cli(plugin_manager(load=()))
    context = cli.make_context("ftcore", [], resilient_parsing=True, terminal_width=WIDTH)
    sections = (f"## {path}\n\n```text\n{text}\n```\n" for path, text in helps(context))
    return "\n".join([CLI_PAGE, *sections])


def helps(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield (command, its help) for the command of `context` and all below it."""
    yield context.command_path, context.get_help()
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from helps(
                    command.make_context(name, [], parent=context, resilient_parsing=True)
                )


def compare(path: Path, text: str) -> list[str]:
    """Return the lines of a diff from what `path` holds to `text`; none where they are equal."""
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = (old.splitlines(keepends=True), text.splitlines(keepends=True))
    return list(difflib.unified_diff(*lines, fromfile=str(path), tofile="generated"))


def main() -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(description="Write the pages that are made from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 where one is old")
    parser.add_argument("--folder", type=Path, default=REFERENCE, help="where the pages are")
    options = parser.parse_args()
    pages = {options.folder / "cli.md": describe_commands()}
    stale = {path: diff for path, text in pages.items() if (diff := compare(path, text))}
    if options.check:
        for diff in stale.values():
            sys.stdout.writelines(diff)
        if stale:
            print("Some pages are not current; type: make docs", file=sys.stderr)
        return 1 if stale else 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(pages[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
