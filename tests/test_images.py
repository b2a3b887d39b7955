"""The digits of scikit-learn, and what a split of images must be."""

import pytest
import torch

from rnnlib.data.images import ImageSplit, load_digits


def test_digits():
    split = load_digits()
    assert split.train_images.shape == (1437, 8, 8) and split.test_images.shape == (360, 8, 8)
    assert split.train_labels.shape == (1437,) and split.test_labels.shape == (360,)
    for images in (split.train_images, split.test_images):
        assert images.dtype == torch.float32
        assert images.min() == 0 and images.max() == 1
        assert torch.equal((images * 16).round(), images * 16)
    assert split.train_labels.dtype == torch.int64
    assert split.classes == tuple(range(10))
    # Stratified: every digit takes its share of the 360.
    counts = torch.bincount(split.test_labels)
    whole = counts + torch.bincount(split.train_labels)
    assert (counts - whole * 360 / 1797).abs().max() < 1
    assert repr(split) == (
        "ImageSplit(1437 images to train on, 360 to test on, 8 × 8 pixels, 10 classes)"
    )


def test_digits_are_the_ones_of_scikit_learn_with_their_labels():
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()

    def pairs(images, labels):
        return {(i.tobytes(), int(label)) for i, label in zip(images, labels, strict=True)}

    split = load_digits()
    images = torch.cat([split.train_images, split.test_images]).double() * 16
    labels = torch.cat([split.train_labels, split.test_labels])
    assert pairs(images.numpy(), labels.numpy()) == pairs(digits.images, digits.target)
    assert len(images) == 1797


def test_digits_split_follows_the_seed():
    first, again, other = load_digits(), load_digits(seed=0), load_digits(seed=1)
    assert torch.equal(first.test_images, again.test_images)
    assert torch.equal(first.test_labels, again.test_labels)
    assert not torch.equal(first.test_labels, other.test_labels)
    assert len(load_digits(test_size=100).train_images) == 1697


@pytest.mark.parametrize("size", [9, 1788])
def test_digits_refuse_a_part_without_every_digit(size):
    with pytest.raises(ValueError, match=f"test_size: expected between 10 and 1787, got {size}"):
        load_digits(test_size=size)
    with pytest.raises(TypeError, match="test_size: expected an int, got float"):
        load_digits(test_size=0.2)


def test_image_split_refuses_what_does_not_fit():
    images, labels = torch.zeros(3, 2, 2), torch.zeros(3, dtype=torch.long)
    assert ImageSplit(images, labels, images, labels).classes == (0,)
    with pytest.raises(ValueError, match=r"train_labels: expected int64 of shape \(3,\)"):
        ImageSplit(images, labels[:2], images, labels)
    with pytest.raises(ValueError, match=r"test_labels: .* got torch.float32"):
        ImageSplit(images, labels, images, labels.float())
    with pytest.raises(ValueError, match=r"test_images: .* got torch.float32 of shape \(3, 4\)"):
        ImageSplit(images, labels, images.flatten(1), labels)
    with pytest.raises(ValueError, match=r"expected images of \(2, 2\) .* got \(2, 1\)"):
        ImageSplit(images, labels, images[:, :, :1], labels)
