"""Writes the package of a new plugin from the templates in templates/plugin."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from ftcore import __version__
from ftcore.errors import ConfigError, UsageError
from ftcore.plugins import Kind, Plugins

# What --kind says -> the registry that it goes into.
KINDS: dict[str, Kind] = {
    "backbone": "backbones",
    "freezing": "freezing",
    "dataset": "datasets",
    "metric": "metrics",
    "task": "tasks",
}
_PREFIX = "ftcore-"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def write_package(plugins: Plugins, name: str, kind: str, out: Path) -> Path:
    """Write the package "ftcore-<name>" into a new folder below `out`, and return that folder.

    Raises UsageError for a name that cannot be one or is taken, ConfigError where the folder
    exists or cannot be written; nothing is left behind then.
    """
    product = name.removeprefix(_PREFIX)
    _check_name(plugins, product, kind)
    files = _render(product, kind)
    folder = out / (_PREFIX + product)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError(f"{folder} exists; choose another name, or another --out") from None
    except OSError as error:
        raise ConfigError(f"cannot make the folder {folder}: {error.strerror}") from None
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ConfigError(f"cannot write into {folder}: {error.strerror}") from None
    return folder


def _check_name(plugins: Plugins, product: str, kind: str) -> None:
    if not _NAME.fullmatch(product):
        raise UsageError(
            f"{product!r} is no name for a plugin: begin with a letter, and use lower-case "
            "letters, digits and single hyphens, as in my-metric"
        )
    plugins.load_all()
    registry = plugins[KINDS[kind]]
    if product in registry:
        owner = registry.entry(product).plugin
        raise UsageError(
            f"plugin {owner!r} already has the {registry.kind} {product!r}; choose another name"
        )


def _render(product: str, kind: str) -> dict[str, str]:
    """Return the package's files: text by path."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates" / "plugin"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,
    )
    identifier = product.replace("-", "_")
    values = {
        "name": product,
        "identifier": identifier,
        "class_name": _class_name(product, kind),
        "distribution": _PREFIX + product,
        "module": f"ftcore_{identifier}",
        "kind": kind,
        "version": __version__,
    }
    templates = {
        "pyproject.toml": "pyproject.toml.jinja",
        "README.md": "README.md.jinja",
        f"ftcore_{identifier}.py": f"{kind}.py.jinja",
        f"tests/test_ftcore_{identifier}.py": f"test_{kind}.py.jinja",
    }
    return {
        path: environment.get_template(template).render(values)
        for path, template in templates.items()
    }


def _class_name(product: str, kind: str) -> str:
    # The templates add the kind: my-metric makes MyMetric, not MyMetricMetric.
    own = product.removesuffix(f"-{kind}")
    return "".join(part.capitalize() for part in own.split("-"))
