from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ftcore
from ftcore.plugins import plugin_manager

NAMES = {
    "backbones": ("tiny_convnet",),
    "freezing": ("surgical",),
    "datasets": ("dots",),
    "metrics": ("rank_mae",),
    "tasks": ("ordinal",),
}


def test_the_installed_plugin_gives_one_of_each_kind() -> None:
    plugins = plugin_manager(load=["ftcore-example"])
    (plugin,) = plugins.select("ftcore-example")
    plugins.load(plugin)
    assert plugin.error == ""
    assert plugin.provides == NAMES


def test_listing_its_names_imports_nothing_heavy() -> None:
    code = "import sys, ftcore_example.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_all_five_work_together(tmp_path: Path) -> None:
    record = ftcore.run(
        backbone="tiny_convnet:width=4",
        freeze="surgical:stage=middle",
        dataset="dots:examples=60",
        metric=("rank_mae:average=macro", "accuracy"),
        epochs=1,
        out=tmp_path,
    )
    assert set(record.metrics) == {"rank_mae_macro", "accuracy"}
    assert record.counts.evaluated == 20
    assert record.freeze is not None
    assert record.freeze.changed_bytes == 0
