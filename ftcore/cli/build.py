"""`ftcore build`: the native evaluation kernel, compiled where ftcore is installed."""

from __future__ import annotations

import subprocess

import click

from ftcore.errors import FtcoreError


@click.command("build")
def command() -> None:
    """Compile the native evaluation kernel against the installed torch.

    For an installation that came without it, as `ftcore doctor` shows. Takes a C++20 compiler and
    about half a minute. The library goes into the user's cache folder, and is used from then on.
    """
    from ftcore._native import build
    from ftcore.ops.library import cache_folder

    try:
        path = build.build(cache_folder())
    except Exception as error:  # a border: compilers and build tools fail in any way they like
        reason = (str(error).strip(". \n") or type(error).__name__).splitlines()[0]
        if isinstance(error.__cause__, subprocess.CalledProcessError):
            reason += "; the compiler's own words are above"
        raise FtcoreError(
            f"the native kernel could not be built: {reason}. ftcore works without it, more slowly"
        ) from error
    click.echo(path)
