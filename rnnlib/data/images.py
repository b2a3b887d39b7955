"""Handwritten digits: what a split of images is, and the one that comes with scikit-learn."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnnlib.checks import check_integer


@dataclass(frozen=True, eq=False, repr=False)
class ImageSplit:
    """Images with their labels, some to train on and others to test on.

    Parameters
    ----------
    train_images : Tensor of float32, (N, rows, columns)
        From 0 (background) to 1. Read row by row, an image is a sequence: T rows of D pixels.
    train_labels : Tensor of int64, (N,)
    test_images : Tensor of float32, (M, rows, columns)
    test_labels : Tensor of int64, (M,)

    Raises
    ------
    ValueError
        If the types or the sizes do not fit together.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def __post_init__(self):
        for part in ("train", "test"):
            images = getattr(self, f"{part}_images")
            labels = getattr(self, f"{part}_labels")
            if images.dim() != 3 or images.dtype != torch.float32:
                raise ValueError(
                    f"{part}_images: expected float32 of shape (N, rows, columns), "
                    f"got {images.dtype} of shape {tuple(images.shape)}"
                )
            if labels.shape != images.shape[:1] or labels.dtype != torch.int64:
                raise ValueError(
                    f"{part}_labels: expected int64 of shape ({len(images)},), one for each "
                    f"image, got {labels.dtype} of shape {tuple(labels.shape)}"
                )
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise ValueError(
                f"test_images: expected images of {tuple(self.train_images.shape[1:])} like those "
                f"to train on, got {tuple(self.test_images.shape[1:])}"
            )

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The labels that occur, in order; there are K of them."""
        return tuple(torch.cat([self.train_labels, self.test_labels]).unique().tolist())

    def __repr__(self) -> str:
        rows, columns = self.train_images.shape[1:]
        return (
            f"ImageSplit({len(self.train_images)} images to train on, {len(self.test_images)} to "
            f"test on, {rows} × {columns} pixels, {len(self.classes)} classes)"
        )


def load_digits(*, test_size: int = 360, seed: int = 0) -> ImageSplit:
    """Load the 1,797 handwritten digits that come with scikit-learn. No network is needed.

    Every digit is as frequent in the test part as in the whole (a stratified split).

    Parameters
    ----------
    test_size : int, default 360
        M, the images kept for testing; the other 1797 - M are for training.
    seed : int, default 0
        Decides which images go where.

    Returns
    -------
    ImageSplit
        Images of 8 × 8 pixels.

    Raises
    ------
    TypeError
        If `test_size` is not an integer.
    ValueError
        If a digit would be missing from one of the two parts.

    Notes
    -----
    The images are the test part of [1]_.

    .. [1] E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
       Learning Repository (1998).
    """
    # Imported here because scikit-learn takes as long to import as torch does.
    import sklearn.datasets
    from sklearn.model_selection import train_test_split

    test_size = check_integer("test_size", test_size)
    digits = sklearn.datasets.load_digits()
    least, most = len(digits.target_names), len(digits.target) - len(digits.target_names)
    if not least <= test_size <= most:
        raise ValueError(f"test_size: expected between {least} and {most}, got {test_size}")
    parts = train_test_split(
        digits.images.astype(np.float32) / 16,
        digits.target.astype(np.int64),
        test_size=test_size,
        stratify=digits.target,
        random_state=seed,
    )
    train_images, test_images, train_labels, test_labels = map(torch.from_numpy, parts)
    return ImageSplit(train_images, train_labels, test_images, test_labels)
