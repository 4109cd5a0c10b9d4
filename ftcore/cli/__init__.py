"""The command line: parses, calls the library, prints, and ends every way with an exit code."""

from __future__ import annotations

# No code here: the modules below, such as `list`, become names of this package when imported.
from ftcore.cli.entry import COMMANDS as COMMANDS
from ftcore.cli.entry import build_cli as build_cli
from ftcore.cli.entry import main as main
