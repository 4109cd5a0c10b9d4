from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from ftcore import DataBundle, Task, UsageError
from ftcore.default_plugins import classification as plugin
from ftcore.registry import Registry
from tests.default_plugins.classification.data import bundle


@pytest.fixture
def create() -> Callable[[str], Task]:
    registry: Registry[Task] = Registry("task")
    plugin.register_tasks(registry.registrar("classification"))
    return registry.create


@pytest.fixture
def data() -> DataBundle:
    return bundle([0, 0, 0, 1])


def test_spec_makes_a_task(create: Callable[[str], Task]) -> None:
    task = create("classification:label_smoothing=0.1,class_weights=balanced")
    assert isinstance(task, Task)
    assert task.name == "classification"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("classification:label_smoothing=1", "label_smoothing is 1.0"),
        ("classification:label_smoothing=-0.1", "label_smoothing is -0.1"),
        ("classification:label_smoothing=nan", "label_smoothing is nan"),
        ("classification:class_weights=some", "must be one of none, balanced"),
    ],
)
def test_wrong_options_are_refused(create: Callable[[str], Task], spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        create(spec)


def test_registering_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from ftcore.default_plugins import classification, classification_metrics\n"
        "from ftcore.registry import Registry\n"
        "classification.register_tasks(Registry('task').registrar('a'))\n"
        "registry = Registry('metric')\n"
        "classification_metrics.register_metrics(registry.registrar('b'))\n"
        "[(entry.summary, entry.options) for entry in registry]\n"
        "print(sys.modules.keys() & {'torch', 'numpy', 'scipy', 'sklearn'})\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == ("set()\n", "")
