"""Runs that keep and find features, with a tiny backbone; the files are real."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ftcore.engine import run as engine
from ftcore.engine.device import threads
from ftcore.engine.directory import RunDirectory
from ftcore.engine.features import segment
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.engine.splits import Subset
from ftcore.engine.storage import read_tensors
from ftcore.errors import ConfigError, DataError, StoppedError
from ftcore.interfaces import DataBundle, FreezePlan, Phase
from ftcore.record import FeaturesRecord, Record
from tests.engine.test_run import StopAfter, content, make_parts
from tests.tiny import Plain, Rows, ToFloat, make_bundle


def run_parts(parts: RunParts, observer: Observer | None = None) -> tuple[Record, Path]:
    observer = observer or Observer()
    prepared = prepare(parts, observer)
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer), directory.path


def run(folder: Path, bundle: DataBundle | None = None, **options: Any) -> tuple[Record, Path]:
    defaults = {"out": folder, "cache": "disk", "prefix": "plain"}
    return run_parts(make_parts(bundle, **{**defaults, **options}))


def counts(record: Record) -> list[tuple[int, int]]:
    return [(features.found, features.computed) for features in record.features]


def files() -> list[Path]:
    return sorted(FeatureStore.from_environment().folder.glob("*/*.safetensors"))


class Notes(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    "freeze", ["bottom", "bottom:1", "gradual:every=2", "lp-ft", "lora:r=2,top=1"]
)
def test_the_cache_changes_no_byte(tmp_path: Path, freeze: str) -> None:
    results = [
        run(tmp_path, freeze=freeze, cache=cache, epochs=6)
        for cache in ("off", "memory", "disk", "disk")
    ]
    assert all(content(path) == content(results[0][1]) for _, path in results)
    off, memory, first, second = (record for record, _ in results)
    assert off.features == ()
    assert all(each.found == 0 for each in (*memory.features, *first.features))
    assert all(each.computed == 0 for each in second.features)
    for each, again in zip(first.features, second.features, strict=True):
        assert again == each.model_copy(
            update={
                "found": each.computed,
                "computed": 0,
                "seconds": 0.0,
                "saved_seconds": again.saved_seconds,
            }
        )


def test_processes_and_lanes_change_no_byte(tmp_path: Path) -> None:
    _, alone = run(tmp_path, cache="memory")
    _, loaded = run(tmp_path, cache="memory", workers=2)
    with threads(2):
        _, side_by_side = run(tmp_path, cache="memory")
        _, both = run(tmp_path, cache="memory", workers=2)
    assert content(alone) == content(loaded) == content(side_by_side) == content(both)


@pytest.mark.parametrize(("prefix", "how"), [("auto", "folded"), ("folded", "folded")])
def test_a_folded_prefix_changes_no_score_and_says_how_far_it_is(
    tmp_path: Path, prefix: str, how: str
) -> None:
    plain, path = run(tmp_path)
    record, other = run(tmp_path, prefix=prefix)
    (features,) = record.features
    assert features.prefix == how
    assert 0 < features.difference < 1e-5
    assert record.metrics["accuracy"] == plain.metrics["accuracy"]
    ours, theirs = (read_tensors(each / "model.safetensors")[0] for each in (path, other))
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-5)
    assert counts(run(tmp_path, prefix=prefix)[0]) == [(90, 0)]


def test_what_was_kept_serves_another_strategy(tmp_path: Path) -> None:
    run(tmp_path, freeze="bottom")
    record, _ = run(tmp_path, freeze="lp-ft", epochs=6)
    assert counts(record) == [(60, 0)]
    assert record.features[0].kept == "disk"


def test_another_split_of_the_same_examples_finds_them_all(tmp_path: Path) -> None:
    bundle = make_bundle()
    run(tmp_path, bundle)
    train, val = bundle.splits["train"], bundle.splits["val"]
    whole = Rows(
        torch.cat([train.inputs(range(45))[i][None] for i in range(45)]),  # the same values
        train.targets,
        [f"renamed/{index}" for index in range(45)],
    )
    parts = {"train": Subset(whole, list(range(44, 9, -1))), "val": Subset(whole, list(range(10)))}
    record, _ = run(tmp_path, replace(bundle, splits={**parts, "test": val}))
    assert counts(record) == [(60, 0)]


def test_only_what_is_new_is_computed(tmp_path: Path) -> None:
    bundle = make_bundle()
    small = replace(
        bundle, splits={**bundle.splits, "train": Subset(bundle.splits["train"], range(0, 45, 2))}
    )
    run(tmp_path, small)
    record, path = run(tmp_path, bundle)
    assert counts(record) == [(68, 22)]
    assert len(files()) == 2
    _, other = run(tmp_path, bundle, cache="off")
    assert content(path) == content(other)


def test_one_new_example_is_computed_to_the_same_bytes(tmp_path: Path) -> None:
    bundle = make_bundle()
    small = replace(
        bundle, splits={**bundle.splits, "test": Subset(bundle.splits["test"], range(29))}
    )
    run(tmp_path, small)
    record, path = run(tmp_path, bundle)
    assert counts(record) == [(89, 1)]
    assert content(path) == content(run(tmp_path, bundle, cache="off")[1])


def test_equal_examples_are_computed_once(tmp_path: Path) -> None:
    bundle = make_bundle()
    train = bundle.splits["train"]
    twice = replace(bundle, splits={**bundle.splits, "val": Subset(train, range(15))})
    assert counts(run(tmp_path, twice)[0]) == [(0, 75)]


def changed_image(parts: RunParts) -> RunParts:
    parts.bundle.splits["train"].values[3, 0, 1, 1] += 1e-3  # type: ignore[attr-defined]
    return parts


def changed_weight(parts: RunParts) -> RunParts:
    weight = next(parts.backbone.stages[1].module.parameters())
    weight.data.view(-1)[0] = torch.nextafter(weight.data.view(-1)[0], torch.tensor(9.0))
    return parts


def changed_buffer(parts: RunParts) -> RunParts:
    parts.backbone.stages[0].module.get_buffer("1.running_mean").add_(1e-3)
    return parts


def changed_preprocessing(parts: RunParts) -> RunParts:
    class Other(ToFloat):
        def describe(self) -> dict[str, Any]:
            return {"noise": 0.0, "size": 5}

    return replace(parts, backbone=replace(parts.backbone, preprocess=Other()))


def changed_module(parts: RunParts) -> RunParts:
    parts.backbone.stages[0].module[1].eps = 2e-5  # type: ignore[index]
    return parts


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (changed_image, [(89, 1)]),
        (changed_weight, [(0, 90)]),
        (changed_buffer, [(0, 90)]),
        (changed_preprocessing, [(0, 90)]),
        (changed_module, [(0, 90)]),
    ],
)
def test_what_decides_the_features_decides_what_is_found(
    tmp_path: Path, change: Any, expected: list[tuple[int, int]]
) -> None:
    run(tmp_path)
    parts = make_parts(out=tmp_path, cache="disk", prefix="plain")
    assert counts(run_parts(change(parts))[0]) == expected


def test_a_change_in_the_code_is_noticed_though_no_weight_tells(tmp_path: Path) -> None:
    run(tmp_path)
    parts = make_parts(out=tmp_path, cache="disk", prefix="plain")
    pool = parts.backbone.stages[-1].module
    pool.register_forward_hook(lambda module, inputs, output: output * 1.01)
    notes = Notes()
    record, path = run_parts(parts, notes)
    assert counts(record) == [(0, 90)]
    assert "change in the backbone's code" in notes.lines[0]
    off = make_parts(out=tmp_path, cache="off")
    off.backbone.stages[-1].module.register_forward_hook(lambda m, i, output: output * 1.01)
    assert content(path) == content(run_parts(off)[1])


@pytest.mark.parametrize("damage", [b"", b"no file of ours", None])
def test_a_damaged_file_is_computed_again(tmp_path: Path, damage: bytes | None) -> None:
    _, path = run(tmp_path)
    (kept,) = files()
    whole = bytearray(kept.read_bytes())
    whole[len(whole) // 2] ^= 4
    kept.write_bytes(whole if damage is None else damage)
    notes = Notes()
    parts = make_parts(out=tmp_path, cache="disk", prefix="plain")
    record, again = run_parts(parts, notes)
    assert counts(record) == [(0, 90)]
    assert "damaged" in notes.lines[0]
    assert content(again) == content(path)
    assert counts(run(tmp_path)[0]) == [(90, 0)]


def test_a_stop_keeps_what_was_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "BYTES", 600)
    parts = make_parts(out=tmp_path, cache="disk", prefix="plain")
    with pytest.raises(StoppedError, match="frozen features"):
        run_parts(parts, StopAfter(2))
    kept = sum(len(segment.Segment.open(each, each.parent.name).names) for each in files())
    assert 0 < kept < 90
    record, path = run(tmp_path)
    assert counts(record) == [(kept, 90 - kept)]
    assert content(path) == content(run(tmp_path, cache="off")[1])


def _run_in_process(folder: Path, results: Any) -> None:
    record, path = run(folder)
    results.put((counts(record), content(path)))


def test_two_processes_end_with_one_good_cache(tmp_path: Path) -> None:
    # Not forked: a child may wait forever for threads that only its parent has.
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_run_in_process, args=(tmp_path, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    got = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sorted(found for each, _ in got for found, _ in each) in ([0, 0], [0, 90])
    assert got[0][1] == got[1][1]
    assert len(files()) == 1
    assert counts(run(tmp_path)[0]) == [(90, 0)]


@pytest.mark.parametrize("freeze", ["bottom", "bottom:1", "lp-ft"])
def test_a_fixed_number_of_views_is_kept_and_changes_no_byte(tmp_path: Path, freeze: str) -> None:
    options: dict[str, Any] = {"freeze": freeze, "augment": "noise", "views": 2, "epochs": 6}
    off = run(tmp_path, cache="off", **options)
    first, second = (run(tmp_path, **options) for _ in range(2))
    assert content(off[1]) == content(first[1]) == content(second[1])
    test = 0 if freeze == "lp-ft" else 30
    assert counts(first[0]) == [(0, 2 * 45 + 15 + test)]
    assert counts(second[0]) == [(2 * 45 + 15 + test, 0)]
    assert content(first[1]) != content(run(tmp_path, **{**options, "views": 3})[1])


def test_what_is_not_worth_a_file_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftcore.engine.features.cut.WORTH_A_FILE", 1e9)
    record, _ = run(tmp_path, cache="auto")
    assert [features.kept for features in record.features] == ["memory"]
    assert files() == []
    monkeypatch.setattr("ftcore.engine.features.cut.WORTH_A_FILE", 0.0)
    record, _ = run(tmp_path, cache="auto")
    assert [features.kept for features in record.features] == ["disk"]
    assert len(files()) == 1
    monkeypatch.setattr("ftcore.engine.features.cut.WORTH_A_FILE", 1e9)
    assert counts(run(tmp_path, cache="auto")[0]) == [(90, 0)]  # found, whatever it is worth


def test_views_without_augmentation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing augments them"):
        run(tmp_path, views=3)


def test_features_of_stages_that_were_trained_before_are_not_written(tmp_path: Path) -> None:
    parts = make_parts(out=tmp_path, cache="disk", prefix="plain", epochs=6)
    names = [name for name in parts.backbone.named_parameters() if name.startswith("stem")]
    head = {"head.weight": 1.0, "head.bias": 1.0}
    plan = FreezePlan((Phase(0, dict.fromkeys(names, 1.0) | head), Phase(3, head)))
    record, path = run_parts(replace(parts, strategy=Plain(plan)))
    assert files() == []
    assert counts(record) == [(0, 60)]
    off = make_parts(out=tmp_path, cache="off", epochs=6)
    assert content(path) == content(run_parts(replace(off, strategy=Plain(plan)))[1])


def test_every_broken_example_is_named(tmp_path: Path) -> None:
    bundle = make_bundle()
    for part, index in (("train", 7), ("val", 4), ("test", 0)):
        bundle.splits[part].values[index, 0, 1, 1] = float("nan")  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"3 of 90.*'train/7'.*'val/4'.*'test/0'"):
        run(tmp_path, bundle)
    assert not list(tmp_path.glob("*"))


def test_the_time_saved_is_what_computing_took(tmp_path: Path) -> None:
    (features,) = run(tmp_path, epochs=5)[0].features
    assert isinstance(features, FeaturesRecord)
    uses = 5 * (45 + 15) + 30
    expected = (uses / 90 - 1) * features.seconds
    assert features.saved_seconds == pytest.approx(expected, rel=0.01)
    assert features.bytes == 90 * 8 * 4


def test_a_phase_that_freezes_again_does_not_see_what_was_before(tmp_path: Path) -> None:
    parts = make_parts(out=tmp_path, cache="memory", prefix="plain", epochs=6)
    names = [name for name in parts.backbone.named_parameters() if name.startswith("stem")]
    head = {"head.weight": 1.0, "head.bias": 1.0}
    phases = (Phase(0, head), Phase(2, dict.fromkeys(names, 1.0) | head), Phase(4, head))
    _, path = run_parts(replace(parts, strategy=Plain(FreezePlan(phases))))
    off = make_parts(out=tmp_path, cache="off", epochs=6)
    assert content(path) == content(run_parts(replace(off, strategy=Plain(FreezePlan(phases))))[1])
