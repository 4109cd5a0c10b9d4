"""`ftcore build`: the native evaluation kernels, compiled where ftcore is installed."""

from __future__ import annotations

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
    """Compile the native evaluation kernels against the installed torch.

    For an installation that came without them, as `ftcore doctor` shows. Takes a C++20 compiler and
    about half a minute. The libraries go into the user's cache folder, and are used from then on.
    """
    from ftcore._native.build import CPU, CUDA
    from ftcore._native.choice import obstacle

    _compile(CPU)
    if cuda is None:
        reason = obstacle(CUDA)
        cuda = reason is None
        if reason is not None:
            click.echo(f"no {CUDA.file}: {reason}", err=True)
    if cuda:
        _compile(CUDA)


def _compile(library: Library) -> None:
    from ftcore._native import build, choice
    from ftcore.ops.library import cache_folder

    try:
        path = build.build(library, cache_folder())
    except Exception as error:  # a border: compilers and build tools fail in any way they like
        raise FtcoreError(
            f"{library.file} could not be built: {choice.summary(error)}. "
            "ftcore works without it, more slowly"
        ) from error
    click.echo(path)
