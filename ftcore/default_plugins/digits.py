"""The digits that come with scikit-learn: real data, always at hand."""

from __future__ import annotations

from collections.abc import Callable

from ftcore import DataBundle, hookimpl


@hookimpl
def register_datasets(register: Callable[[str, Callable[..., DataBundle]], None]) -> None:
    """Register `digits`."""
    register("digits", load_digits)


def load_digits() -> DataBundle:
    """1,797 handwritten digits, 8x8 grey, that come with scikit-learn.

    They are the test part of the UCI data, by 13 writers; scikit-learn defines no split, so all
    are in "train". A pixel of 0 to 16 becomes one of 0 to 255: pixel * 255 / 16, halves up.
    """
    import torch
    from sklearn import datasets

    from ftcore import ArraySplit, ImageLikeness

    digits = datasets.load_digits()
    pixels = torch.from_numpy(digits.images).to(torch.int64)[:, None]  # (1797, 1, 8, 8)
    split = ArraySplit(
        images=((pixels * 255 + 8) // 16).to(torch.uint8),
        targets=torch.from_numpy(digits.target).to(torch.int64),
        ids=[f"digits/{index:04d}" for index in range(len(pixels))],
    )
    return DataBundle(
        name="digits",
        task="classification",
        splits={"train": split},
        classes=tuple("0123456789"),
        input_shape=split.input_shape,
        origin="Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository, doi:10.24432/C50P49; the copy in scikit-learn",
        licence="CC BY 4.0",
        likeness=ImageLikeness(),
    )
