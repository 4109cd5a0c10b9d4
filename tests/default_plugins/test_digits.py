from __future__ import annotations

import numpy as np
import torch
from sklearn import datasets

from ftcore import Split
from ftcore.default_plugins.digits import load_digits
from ftcore.testing import check_dataset


def test_digits() -> None:
    bundle = load_digits()
    assert set(bundle.splits) == {"train"}
    assert bundle.task == "classification"
    assert bundle.classes == tuple("0123456789")
    assert bundle.input_shape == (8, 8)
    assert bundle.licence
    check_dataset(bundle)
    split = bundle.splits["train"]
    assert isinstance(split, Split)
    assert len(split) == len(set(split.ids)) == 1797
    assert (split.ids[0], split.ids[17]) == ("digits/0000", "digits/0017")
    # scikit-learn's own counts: load_digits().target, by class.
    assert torch.bincount(split.targets).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180
    ]  # fmt: skip


def test_pixels_are_scaled_to_bytes() -> None:
    images = np.stack(list(load_digits().splits["train"].inputs(range(1797))))
    original = datasets.load_digits().images
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.uint8
    assert np.array_equal(np.unique(original), np.arange(17))
    assert np.array_equal(images[:, 0], np.floor(original * 255 / 16 + 0.5))
    assert (images.min(), images.max()) == (0, 255)
