from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ftcore import DataBundle
from ftcore.default_plugins import digits, folder, torchvision_datasets
from ftcore.registry import Registry

NAMES = (
    "caltech101 cifar10 cifar100 digits dtd emnist eurosat fashion-mnist flowers102 folder "
    "food101 imagenet kmnist mnist oxford-pets stl10 svhn"
)


def test_names_and_summaries() -> None:
    registry: Registry[DataBundle] = Registry("dataset")
    for plugin in (digits, folder, torchvision_datasets):
        plugin.register_datasets(registry.registrar(plugin.__name__))
    assert [entry.name for entry in registry] == NAMES.split()
    assert all(entry.summary.endswith(".") for entry in registry)
    root = next(option for option in registry.entry("mnist").options if option.name == "root")
    assert root.convert("~/x", "spec") == Path("~/x").expanduser()


def test_registering_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from ftcore.default_plugins import digits, folder, torchvision_datasets\n"
        "for plugin in (digits, folder, torchvision_datasets):\n"
        "    plugin.register_datasets(lambda name, factory: None)\n"
        "heavy = {'torch', 'torchvision', 'numpy', 'scipy', 'sklearn', 'PIL'}\n"
        "print(*heavy & set(sys.modules))\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "\n", "")
