from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ftcore.engine.splits import Joined, align_classes, take_test
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle
from tests.tiny import make_bundle, make_split


def _with(*parts: str) -> DataBundle:
    bundle = make_bundle(train=60)
    return replace(bundle, splits={part: bundle.splits[part] for part in parts})


def test_joined_splits_hand_out_the_examples_of_both_in_the_order_asked_for() -> None:
    first, second = make_split(4, 2, 0, "a"), make_split(3, 3, 1, "b")
    joined = Joined({"train": first, "val": second})
    assert len(joined) == 7
    assert joined.ids == [*first.ids, *second.ids]
    assert torch.equal(joined.targets, torch.cat([first.targets, second.targets]))
    indices = [5, 0, 6, 3]
    expected = [second.values[1], first.values[0], second.values[2], first.values[3]]
    assert all(map(torch.equal, joined.inputs(indices), expected))
    digests = [*second.digests([1]), *first.digests([0]), *second.digests([2]), *first.digests([3])]
    assert joined.digests(indices) == digests


def test_ids_that_both_splits_have_are_told_apart() -> None:
    joined = Joined({"train": make_split(2, 2, 0, "x"), "val": make_split(1, 1, 1, "x")})
    assert joined.ids == ["train/x/0", "train/x/1", "val/x/0"]


def test_classes_are_matched_by_name() -> None:
    bundle = replace(_with("test"), classes=("bee", "ant", "cat"))
    aligned = align_classes(bundle, ("ant", "bee", "cat", "dog"))
    assert aligned.classes == ("ant", "bee", "cat", "dog")
    names = [bundle.classes[i] for i in bundle.splits["test"].targets.tolist()]
    assert [aligned.classes[i] for i in aligned.splits["test"].targets.tolist()] == names


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(DataError, match=r"'class 2'.*it knows 'class 0', 'class 1'"):
        align_classes(_with("test"), ("class 0", "class 1"))


@pytest.mark.parametrize(
    ("parts", "source"),
    [(("train", "val", "test"), "test/0"), (("train", "val"), "val/0"), (("train",), "train/0")],
)
def test_the_part_to_evaluate(parts: tuple[str, ...], source: str) -> None:
    taken = take_test(_with(*parts))
    assert taken.splits["test"].ids[0] == source
    assert ("test" in parts) == (taken.notes == ())
