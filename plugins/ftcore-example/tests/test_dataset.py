from __future__ import annotations

import pytest
import torch
from ftcore_example.dataset import CLASSES, make_dots

from ftcore import UsageError
from ftcore.testing import check_dataset


@pytest.mark.parametrize("examples", [15, 61])
def test_it_keeps_the_contract(examples: int) -> None:
    check_dataset(make_dots(examples))


def test_an_image_has_as_many_dots_as_its_class_says() -> None:
    split = make_dots(25).splits["train"]
    for index, target in enumerate(split.targets.tolist()):
        (image,) = split.inputs([index])
        assert int((image >= 160).sum()) == 4 * 4 * (target + 1), CLASSES[target]


def test_no_image_is_in_both_parts() -> None:
    train, test = (make_dots(60).splits[part] for part in ("train", "test"))
    seen = {image.numpy().tobytes() for image in train.inputs(range(len(train)))}
    assert not seen & {image.numpy().tobytes() for image in test.inputs(range(len(test)))}


def test_it_is_drawn_the_same_every_time() -> None:
    first, second = (make_dots(30).splits["test"].inputs(range(10)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(UsageError, match="examples is 14"):
        make_dots(14)
