"""Checks for chapter 6: reading images row by row."""

import numpy as np
import torch

from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.numbers import as_numbers
from rnnlib.exercises.verdict import WrongAnswer


def _to_sequences(images, by):
    rows = images.squeeze(1)
    return rows if by == "rows" else rows.transpose(1, 2)


def _then(change):
    """Return the right answer, changed."""
    return lambda images, by: change(_to_sequences(images, by))


@exercise(
    "Rows and columns become steps, for any number of images.",
    cases=tuple(
        {"N": N, "R": R, "C": C, "by": by}
        for N, R, C in ((2, 3, 5), (4, 5, 3), (1, 3, 4))
        for by in ("columns", "rows")
    ),
    right=_to_sequences,
    mistakes={
        "the channel axis is still there: the images are (N, 1, rows, columns), a recurrent layer "
        "wants (N, T, D).": lambda images, by: images if by == "rows" else images.mT,
        "the images are as they came: take the channel axis out, and see what by asks for.": (
            lambda images, by: images
        ),
        'you read rows, whatever by is: with by="columns" every column is a step.': (
            lambda images, by: images.squeeze(1)
        ),
        'you read columns, whatever by is: with by="rows" every row is a step.': (
            lambda images, by: images.squeeze(1).mT
        ),
        "rows and columns have changed places.": (
            lambda images, by: _to_sequences(images, "rows" if by == "columns" else "columns")
        ),
        'by="columns": reshape fills columns with pieces of rows; swap the two axes with '
        "transpose.": (
            lambda images, by: images.squeeze(1).reshape(_to_sequences(images, by).shape)
        ),
        "squeeze() drops every axis of length 1, and with a single image that is the batch axis "
        "too; say which one you mean: squeeze(1).": (
            lambda images, by: images.squeeze() if by == "rows" else images.squeeze().mT
        ),
        "time comes first, where the batch should: expected (N, T, D).": _then(
            lambda x: x.transpose(0, 1)
        ),
        "the steps run backwards.": _then(lambda x: x.flip(1)),
        "the pixels of each step run backwards.": _then(lambda x: x.flip(2)),
        "every image has become one long row: expected (N, T, D).": (
            lambda images, by: images.flatten(1)
        ),
        "every image has become one long row, of its columns: expected (N, T, D).": (
            lambda images, by: _to_sequences(images, "columns").flatten(1)
        ),
        "only the first image came back: a batch is asked for.": _then(lambda x: x[:1]),
    },
    hints=(
        "Which of the four axes of the images must go, and which one becomes time?",
        "Axis 1, of length 1, goes; then rows are steps already. For columns, exchange the last "
        "two axes.",
        "images.squeeze(1), and .transpose(1, 2) for columns",
    ),
)
def check_images_to_sequences(draw, N, R, C, by):
    """Check ``to_sequences(images, by)``, which reads images as sequences of rows or of columns.

    Parameters
    ----------
    to_sequences : callable
        Returns (N, T, D) from images, (N, 1, rows, columns): a step is a row if `by` is
        ``"rows"``, and a column if it is ``"columns"``.

    Returns
    -------
    Verdict
    """
    return draw.uniform(N, 1, R, C), by


def _confusion(true, read, K):
    counts = np.zeros((K, K), dtype=np.int64)
    np.add.at(counts, (true.numpy(), read.numpy()), 1)
    return counts


def _shares(counts, axis):
    return counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)


@exercise(
    "Every image is counted once: its class is the row, what was read the column.",
    result="the matrix",
    cases=({"N": 11, "K": 3}, {"N": 23, "K": 4}, {"N": 37, "K": 5}),
    right=_confusion,
    mistakes={
        "it lies on its side: rows are what the image is, columns what was read.": (
            lambda *given: _confusion(*given).T
        ),
        "each entry is 0 or 1: `counts[true, read] += 1` adds once where an index occurs twice. "
        "Loop over the pairs, or use np.add.at.": lambda *given: _confusion(*given) > 0,
        "the last class does not occur here and still needs a row and a column: the matrix is "
        "(K, K).": lambda true, read, K: _confusion(true, read, K)[:-1, :-1],
        "counts are asked for, not shares.": lambda *given: _shares(_confusion(*given), 1),
        "counts are asked for, not shares of what was read.": (
            lambda *given: _shares(_confusion(*given), 0)
        ),
        "these are shares of all images; counts are asked for.": (
            lambda true, read, K: _confusion(true, read, K) / len(true)
        ),
        "the right answers are missing: they belong on the diagonal.": (
            lambda true, read, K: _confusion(true, read, K) * (1 - np.eye(K))
        ),
        "only the right answers are counted.": (
            lambda true, read, K: _confusion(true, read, K) * np.eye(K)
        ),
        "this counts the images of each class: one entry for each pair of classes is asked for.": (
            lambda *given: _confusion(*given).sum(1)
        ),
        "the first image is missing.": (lambda true, read, K: _confusion(true[1:], read[1:], K)),
        "the last image is missing.": (lambda true, read, K: _confusion(true[:-1], read[:-1], K)),
        "one too many in every entry: begin with zeros.": lambda *given: _confusion(*given) + 1,
    },
    hints=(
        "Take one image that is an i and was read as a j. Which entry grows by 1?",
        "Begin with a matrix of zeros, (K, K), and go through the pairs of true and read.",
        "for i, j in zip(true, read, strict=True): counts[i, j] += 1",
    ),
)
def check_confusion_matrix(draw, N, K):
    """Check ``confusion(true, read, K)``, the confusion matrix.

    Parameters
    ----------
    confusion : callable
        Returns (K, K): entry [i, j] counts the images of class i that were read as class j.

    Returns
    -------
    Verdict
    """
    # Half of them are read rightly; nothing is of the last class, or is read as one.
    true, other = draw.integers(N, high=K - 1), draw.integers(N, high=K - 1)
    true[:3] = 0
    other[:3] = torch.tensor([1, 1, 0])
    return true, torch.where(draw.uniform(N) < 0.5, true, other), K


def _one_class(answer, counts):
    got = as_numbers("the class", answer)
    if got.array.shape != ():
        raise WrongAnswer(f"expected one class, got an array of shape {got.array.shape}.")
    return got


def _share_misread(counts):
    return 1 - counts.diagonal() / counts.sum(axis=1)


def _beside(counts):
    return counts * (1 - np.eye(len(counts), dtype=int))


# The six readings of the question each have another answer here.
COUNTS = np.array(
    [
        [90, 2, 2, 2, 2, 2, 3],  # the most misread images, of a frequent class
        [0, 4, 0, 1, 0, 0, 0],  # the fewest read correctly
        [0, 0, 7, 3, 0, 0, 0],  # 3 of 10: the largest share
        [0, 0, 0, 15, 0, 2, 0],
        [0, 0, 0, 4, 95, 0, 1],
        [0, 0, 0, 1, 0, 40, 0],
        [1, 0, 0, 3, 0, 2, 60],
    ]
)
# Others that differ here: the most frequent class, the rarest one, shares of the columns.
MORE = np.array(
    [
        [13, 0, 0, 0, 8, 0, 0, 4, 0],
        [1, 21, 0, 0, 0, 0, 0, 0, 0],
        [0, 6, 44, 0, 0, 4, 0, 0, 0],
        [0, 0, 0, 32, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 14, 0, 0, 0, 0],
        [0, 0, 3, 0, 0, 17, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 47, 7, 0],
        [0, 0, 0, 0, 1, 0, 2, 16, 0],
        [0, 7, 0, 0, 0, 0, 0, 0, 11],
    ]
)


@exercise(
    "The class of which the largest share is misread.",
    result="the class",
    cases=({"matrix": 1}, {"matrix": 2}, {"matrix": 3}),
    right=lambda counts: _share_misread(counts).argmax(),
    measure=_one_class,
    mistakes={
        "this class has the most misread images, but it is also frequent: divide by the number of "
        "images of the class.": lambda counts: _beside(counts).sum(axis=1).argmax(),
        "this is the class that others are most often read as: that is a column, and the true "
        "class is a row.": lambda counts: _beside(counts).sum(axis=0).argmax(),
        "this class has the fewest right answers, because there are few images of it: divide by "
        "their number.": lambda counts: counts.diagonal().argmin(),
        "this class is read best.": lambda counts: _share_misread(counts).argmin(),
        "this is the most frequent correct answer: look beside the diagonal.": (
            lambda counts: counts.diagonal().argmax()
        ),
        "this divides by the column's sum: the images of a class stand in its row.": (
            lambda counts: (1 - counts.diagonal() / counts.sum(axis=0)).argmax()
        ),
        "this is the rarest class: it is not the one misread most often for its number.": (
            lambda counts: counts.sum(axis=1).argmin()
        ),
        "this is the most frequent class.": lambda counts: counts.sum(axis=1).argmax(),
        "expected the class, got a share: take argmax in place of max.": (
            lambda counts: _share_misread(counts).max()
        ),
        "expected the class, got the share that is read rightly: take argmin in place of min.": (
            lambda counts: 1 - _share_misread(counts).max()
        ),
        "classes are counted from 0.": lambda counts: _share_misread(counts).argmax() + 1,
    },
    hints=(
        "Where do the right answers of a class stand in the matrix, and where all its images?",
        "The share that is read rightly is the diagonal over the sums of the rows. The hardest "
        "class has the smallest.",
        "(counts.diagonal() / counts.sum(axis=1)).argmin()",
    ),
)
def check_most_misread(draw, matrix):
    """Check ``most_misread(counts)``, the class that is most often misread for its frequency.

    Parameters
    ----------
    most_misread : callable
        Returns the class, an integer, from a confusion matrix, (K, K): rows are true classes.

    Returns
    -------
    Verdict
    """
    return {1: COUNTS, 2: MORE, 3: MORE[::-1, ::-1]}[matrix]


@exercise(
    "Chosen on the validation set, reported on the test set.",
    result="the accuracy",
    cases=({"epochs": 5}, {"epochs": 7}, {"epochs": 11}),
    right=lambda validation, test: test[validation.argmax()],
    mistakes={
        "this is the best accuracy on the test set: the epoch was chosen by the very images that "
        "should judge it.": lambda validation, test: test.max(),
        "this is the accuracy on the validation set, which chose the epoch and flatters it.": (
            lambda validation, test: validation.max()
        ),
        "the sets are swapped: the test set must not choose.": (
            lambda validation, test: validation[test.argmax()]
        ),
        "this is the last epoch: take the one that the validation set prefers.": (
            lambda validation, test: test[-1]
        ),
        "this is the last epoch, and on the validation set.": (
            lambda validation, test: validation[-1]
        ),
        "this is the first epoch: take the one that the validation set prefers.": (
            lambda validation, test: test[0]
        ),
        "this is the epoch that the validation set likes least.": (
            lambda validation, test: test[validation.argmin()]
        ),
        "this is the worst epoch on the test set.": lambda validation, test: test.min(),
        "this is the epoch; report the accuracy after it.": (
            lambda validation, test: validation.argmax()
        ),
        "this is the average over the epochs.": lambda validation, test: test.mean(),
        "this is the average of the two sets: the validation set chose, and is flattered.": (
            lambda validation, test: (validation.max() + test[validation.argmax()]) / 2
        ),
        "the epoch after the chosen one: np.argmax counts from 0, and so does the record.": (
            lambda validation, test: test[(validation.argmax() + 1) % len(test)]
        ),
        "this is the epoch that was best on both together: the test set must not choose.": (
            lambda validation, test: test[(validation + test).argmax()]
        ),
    },
    hints=(
        "Which of the two sets may choose the epoch, and which may judge it?",
        "The validation set chooses: its argmax is the epoch. What is reported was measured on the "
        "test set, after that epoch.",
        "test[validation.argmax()]",
    ),
)
def check_reported_accuracy(draw, epochs):
    """Check ``reported(validation, test)``, the accuracy to report after choosing an epoch.

    Parameters
    ----------
    reported : callable
        Returns a float from the accuracies after each epoch on two sets, (epochs,) each.

    Returns
    -------
    Verdict
    """
    # The best epochs of the two differ, a third is good on both, and none is the first or last.
    best, best_test, both = {5: (1, 3, 2), 7: (1, 4, 2), 11: (6, 3, 8)}[epochs]
    validation, test = (draw.rng.uniform(0.6, 0.75, size=epochs) for _ in range(2))
    validation[[best, best_test, both]] = 0.91, 0.8, 0.9
    test[[best, best_test, both]] = 0.83, 0.95, 0.93
    return validation, test
