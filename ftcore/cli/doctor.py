"""`ftcore doctor`: what this installation is made of, and what it will use."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftcore.cli.options import json_option

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

PACKAGES = ("ftcore", "torch", "torchvision", "numpy", "pluggy", "safetensors")


@click.command("doctor", short_help="Say what is installed and used, and why.")
@json_option
@click.pass_obj
def command(plugins: Plugins, *, as_json: bool) -> None:
    """Say what is installed, which device and evaluation kernels are used, and why."""
    rows = {"python": platform.python_version()}
    rows |= {name: _version(name) for name in PACKAGES}
    rows |= _torch()
    plugins.load_all()
    rows["plugins"] = ", ".join(plugin.name for plugin in plugins)
    rows["plugins failed"] = "; ".join(plugin.failure for plugin in plugins.failed) or "none"
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(map(len, rows))
    for name, value in rows.items():
        click.echo(f"{name:<{width}}  {value}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _torch() -> dict[str, str]:
    import torch

    from ftcore.ops import cpu_kernel, cuda_kernel
    from ftcore.resampling import kernel

    device = "cpu"
    if torch.cuda.is_available():
        device = f"cuda ({torch.cuda.get_device_name()})"
    return {
        "device": device,
        "threads": f"{torch.get_num_threads()} of {os.cpu_count()} CPUs",
        "evaluation kernel": str(cpu_kernel()),
        "evaluation kernel, cuda": str(cuda_kernel()),
        "resampling kernel": str(kernel()),
        "weights cache": str(Path(torch.hub.get_dir()) / "checkpoints"),
    }
