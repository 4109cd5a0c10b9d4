"""The contract of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ftcore.interfaces import DataBundle, Likeness, Raw, Split
from ftcore.testing.values import is_same

if TYPE_CHECKING:
    from torch import Tensor

_PARTS = ("train", "val", "test")


def check_dataset(bundle: DataBundle) -> None:
    """Assert the contract of `ftcore.DataBundle` and its splits, reading a few examples of each.

    Raw examples are checked as images where `bundle.input_shape` is (height, width), targets as
    class indices where the bundle names classes and a split has one target an example.
    """
    assert isinstance(bundle, DataBundle), f"{bundle!r} is no ftcore.DataBundle."
    assert bundle.name, "The dataset has no name."
    assert bundle.task, "The dataset does not say which task it asks for."
    assert "train" in bundle.splits, f"There is no part 'train', only {list(bundle.splits)}."
    unknown = sorted(set(bundle.splits) - set(_PARTS))
    assert not unknown, f"Unknown parts {unknown}; a dataset has {', '.join(_PARTS)}."
    assert len(set(bundle.classes)) == len(bundle.classes), "Two classes have the same name."
    seen: dict[str, str] = {}
    for part, split in bundle.splits.items():
        assert isinstance(split, Split), f"The part {part!r} is {split!r}, no ftcore.Split."
        _check_ids(part, split, seen)
        _check_targets(part, split, bundle)
        _check_inputs(part, split, are_images=len(bundle.input_shape) == 2)
        if bundle.likeness is not None:
            _check_likeness(part, split, bundle.likeness)


def _check_ids(part: str, split: Split, seen: dict[str, str]) -> None:
    ids = list(split.ids)
    assert ids, f"The part {part!r} has no examples; leave it out instead."
    assert len(ids) == len(split), f"{part!r} has {len(ids)} ids for {len(split)} examples."
    assert ids == list(split.ids), f"The ids of {part!r} differ from call to call."
    for id_ in ids:
        assert isinstance(id_, str), f"The id {id_!r} in {part!r} is no str."
        other = seen.setdefault(id_, part)
        assert other == part, f"The id {id_!r} stands for an example of {other!r} and of {part!r}."
    assert len(set(ids)) == len(ids), f"Two examples of {part!r} have the same id."


def _check_targets(part: str, split: Split, bundle: DataBundle) -> None:
    import torch

    targets = split.targets
    assert isinstance(targets, torch.Tensor), f"The targets of {part!r} are no tensor."
    assert targets.shape[:1] == (len(split),), (
        f"The targets of {part!r} have shape {tuple(targets.shape)}, not ({len(split)}, …)."
    )
    assert is_same(targets, split.targets), f"The targets of {part!r} differ from call to call."
    if not bundle.classes or targets.dim() != 1:
        return
    assert targets.dtype == torch.int64, f"Class indices of {part!r} are {targets.dtype}."
    wrong = ((targets < 0) | (targets >= len(bundle.classes))).nonzero().flatten().tolist()
    if wrong:
        raise AssertionError(
            f"The target of {split.ids[wrong[0]]!r} in {part!r} is {int(targets[wrong[0]])}, "
            f"no index of the {len(bundle.classes)} classes."
        )


def _check_inputs(part: str, split: Split, *, are_images: bool) -> None:
    chosen = sorted({0, 1, len(split) // 2, len(split) - 1} & set(range(len(split))))
    forward = split.inputs(chosen)
    assert len(forward) == len(chosen), (
        f"inputs() of {part!r} returns {len(forward)} examples for {len(chosen)} indices."
    )
    _check_equal(forward, split.inputs(chosen), f"Reading {part!r} twice gives other examples.")
    backward = split.inputs(chosen[::-1])
    _check_equal(
        forward,
        [backward[position] for position in range(len(chosen))][::-1],
        f"inputs() of {part!r} does not return the examples in the order of the indices.",
    )
    alone = [split.inputs([index])[0] for index in chosen]
    _check_equal(forward, alone, f"An example of {part!r} differs with what is read beside it.")
    if are_images:
        for position, index in enumerate(chosen):
            _check_image(forward[position], f"The example {split.ids[index]!r} of {part!r}")
    _check_digests(part, split, chosen)


def _check_digests(part: str, split: Split, chosen: Sequence[int]) -> None:
    digests = split.digests(chosen)
    assert len(digests) == len(chosen), (
        f"digests() of {part!r} returns {len(digests)} for {len(chosen)} indices."
    )
    for digest, index in zip(digests, chosen, strict=True):
        assert isinstance(digest, str), f"The digest {digest!r} in {part!r} is no str."
        assert list(split.digests([index])) == [digest], (
            f"The digest of {split.ids[index]!r} in {part!r} differs from call to call, or with "
            "what is asked for beside it."
        )
    raw = split.inputs(chosen)
    for one in range(len(chosen)):
        for other in range(one):
            if digests[one] == digests[other]:
                _check_equal(
                    raw[one : one + 1],
                    raw[other : other + 1],
                    f"{split.ids[chosen[one]]!r} and {split.ids[chosen[other]]!r} in {part!r} "
                    "differ and have the same digest.",
                )


def _check_likeness(part: str, split: Split, likeness: Likeness) -> None:
    import torch

    count = min(len(split), 4)
    sketches = likeness.sketch(split.inputs(range(count)))
    alone = torch.cat([likeness.sketch(split.inputs([index])) for index in range(count)])
    assert is_same(sketches, alone), f"A sketch in {part!r} differs with what is read beside it."
    vectors = likeness.glance(sketches)
    assert vectors.ndim == 3, f"glance() returns shape {tuple(vectors.shape)}, not (V, N, D)."
    assert vectors.shape[1] == count, f"glance() returns {vectors.shape[1]} vectors for {count}."
    lengths = vectors.norm(dim=2)
    is_one_or_zero = ((lengths - 1).abs() < 1e-3) | (lengths == 0)
    assert bool(is_one_or_zero.all()), f"glance() returns vectors of lengths {lengths.tolist()}."
    likely = likeness.compare(sketches, sketches)
    is_same_or_blank = (likely >= min(likeness.certain, 0.999)) | (lengths[0] == 0)
    assert bool(is_same_or_blank.all()), f"Examples are like themselves by {likely.tolist()} only."


def _check_equal(one: Sequence[Raw], other: Sequence[Raw], sentence: str) -> None:
    import torch

    for position in range(len(one)):
        mine, theirs = one[position], other[position]
        if isinstance(mine, torch.Tensor):
            assert is_same(mine, theirs), sentence
        else:
            assert (type(mine), repr(mine)) == (type(theirs), repr(theirs)), sentence


def _check_image(raw: Raw | Tensor, subject: str) -> None:
    import torch

    assert isinstance(raw, torch.Tensor), f"{subject} is a {type(raw).__name__}, no tensor."
    assert raw.dtype == torch.uint8, f"{subject} is {raw.dtype}; images are uint8."
    shape = tuple(raw.shape)
    sentence = f"{subject} has shape {shape}; images are (1 or 3, height, width)."
    assert len(shape) == 3, sentence
    assert shape[0] in (1, 3), sentence
