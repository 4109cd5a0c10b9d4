"""`ftcore build`: the native kernels, compiled where ftcore is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ftcore.errors import FtcoreError

if TYPE_CHECKING:
    from ftcore._native.build import Library


@click.command("build")
@click.option(
    "--cuda/--no-cuda",
    default=None,
    help="Whether to compile the GPU kernel too, which takes nvcc, and minutes.  [default: where "
    "there is a GPU, or TORCH_CUDA_ARCH_LIST names one]",
)
def command(*, cuda: bool | None) -> None:
    """Compile the native kernels, those of evaluation against the installed torch.

    For an installation that came without them, as `ftcore doctor` shows. Takes a C++20 compiler and
    about half a minute. The libraries go into the user's cache folder, and are used from then on.
    """
    from ftcore._native.build import CPU, CUDA, RESAMPLE, build, require_tools
    from ftcore._native.choice import obstacle
    from ftcore._native.location import cache_folder

    if cuda is None:
        reason = obstacle(CUDA)
        cuda = reason is None
        if reason is not None:
            click.echo(f"no {CUDA.file}: {reason}", err=True)
    libraries = (RESAMPLE, CPU, CUDA) if cuda else (RESAMPLE, CPU)
    for library in libraries:  # before the first of them takes its time
        with _failing_in_words(library):
            require_tools(library)
    for library in libraries:
        with _failing_in_words(library):
            click.echo(build(library, cache_folder()))


@contextmanager
def _failing_in_words(library: Library) -> Iterator[None]:
    from ftcore._native.choice import summary

    try:
        yield
    except Exception as error:  # a border: compilers and build tools fail in any way they like
        raise FtcoreError(
            f"{library.file} could not be built: {summary(error)}. "
            "ftcore works without it, more slowly"
        ) from error
