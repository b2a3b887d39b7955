"""Checks for chapter 6: reading images row by row."""

import numpy as np
import torch

from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict


@verdict("Rows and columns become steps, for any number of images.")
def check_images_to_sequences(to_sequences) -> None:
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
    for images in (torch.rand(4, 1, 3, 5), torch.rand(1, 1, 3, 5)):
        N = len(images)
        one = ", for a single image" if N == 1 else ""
        rows = images[:, 0]  # (N, 3, 5)
        columns = rows.transpose(1, 2)  # (N, 5, 3)
        for by, expected, other in (("rows", rows, columns), ("columns", columns, rows)):
            answer = attempt(to_sequences, images.clone(), by)
            compare(
                f'by="{by}"{one}: the result',
                answer,
                expected,
                {
                    "the channel axis is still there: the images are (N, 1, rows, columns), "
                    "a recurrent layer wants (N, T, D).": images,
                    f'by="{by}": the channel axis is still there.': images.mT,
                    f'by="{by}": you read by the other axis.': other,
                    'by="columns": reshape fills columns with pieces of rows; '
                    "swap the two axes with transpose.": rows.reshape(N, 5, 3),
                    "squeeze() drops every axis of length 1, and with a single image that is the "
                    "batch axis too; say which one you mean: squeeze(1).": expected.squeeze(),
                    f'by="{by}": time comes first, where the batch should.': (
                        expected.transpose(0, 1)
                    ),
                    f'by="{by}": the steps run backwards.': expected.flip(1),
                    f'by="{by}": every image has become one long row.': expected.flatten(1),
                },
            )


@verdict("Every image is counted once, in the row of what it is and the column of what was read.")
def check_confusion_matrix(confusion) -> None:
    """Check ``confusion(true, read, K)``, the confusion matrix.

    Parameters
    ----------
    confusion : callable
        Returns (K, K): entry [i, j] counts the images of class i that were read as class j.

    Returns
    -------
    Verdict
    """
    K = 4
    true = torch.tensor([0, 0, 0, 1, 1, 1, 1, 2, 2, 0])
    read = torch.tensor([0, 0, 1, 1, 1, 1, 2, 0, 2, 1])  # nothing is a 3, or is read as one
    expected = np.zeros((K, K))
    np.add.at(expected, (true.numpy(), read.numpy()), 1)
    seen = expected > 0
    shares = expected / np.maximum(expected.sum(axis=1, keepdims=True), 1)
    compare(
        "the matrix",
        attempt(confusion, true.clone(), read.clone(), K),
        expected,
        {
            "it lies on its side: rows are what the image is, columns what was read.": expected.T,
            "each entry is 0 or 1: `counts[true, read] += 1` adds once where an index occurs "
            "twice. Loop over the pairs, or use np.add.at.": seen,
            "class 3 does not occur here and still needs a row and a column: "
            "the matrix is (K, K).": expected[:3, :3],
            "counts are asked for, not shares.": shares,
            "these are shares of all images; counts are asked for.": expected / len(true),
            "the right answers are missing: they belong on the diagonal.": (
                expected * (1 - np.eye(K))
            ),
            "only the right answers are counted.": expected * np.eye(K),
        },
    )


@verdict("The class of which the largest share is misread.")
def check_most_misread(most_misread) -> None:
    """Check ``most_misread(counts)``, the class that is most often misread for its frequency.

    Parameters
    ----------
    most_misread : callable
        Returns the class, an integer, from a confusion matrix, (K, K): rows are true classes.

    Returns
    -------
    Verdict
    """
    # The six readings of the question each have another answer here.
    counts = np.array(
        [
            [90, 2, 2, 2, 2, 2],  # the most misread images, of a frequent class
            [0, 4, 0, 1, 0, 0],  # the fewest read correctly
            [0, 0, 7, 3, 0, 0],  # 3 of 10: the largest share
            [0, 0, 0, 15, 0, 2],
            [0, 0, 0, 4, 95, 0],
            [0, 0, 0, 1, 0, 40],
        ]
    )
    answer = as_array(attempt(most_misread, counts.copy()))
    if answer.shape != ():
        raise WrongAnswer(f"expected one class, got an array of shape {answer.shape}.")
    compare(
        "the class",
        answer,
        2,
        {
            "this class has the most misread images, but it is also frequent: divide by the "
            "number of images of the class.": 0,
            "this is the class that others are most often read as: that is a column, "
            "and the true class is a row.": 3,
            "this class has the fewest right answers, because there are few images of it: divide "
            "by their number.": 1,
            "this class is read best.": 5,
            "this is the most frequent correct answer: look beside the diagonal.": 4,
            "expected the class, got a share: take argmax in place of max.": 0.3,
        },
    )


@verdict("Chosen on the validation set, reported on the test set.")
def check_reported_accuracy(reported) -> None:
    """Check ``reported(validation, test)``, the accuracy to report after choosing an epoch.

    Parameters
    ----------
    reported : callable
        Returns a float from the accuracies after each epoch on two sets, (epochs,) each.

    Returns
    -------
    Verdict
    """
    validation = np.array([0.70, 0.84, 0.93, 0.90, 0.88])
    test = np.array([0.72, 0.91, 0.87, 0.95, 0.89])
    compare(
        "the accuracy",
        attempt(reported, validation.copy(), test.copy()),
        test[2],
        {
            "this is the best accuracy on the test set: the epoch was chosen by the very images "
            "that should judge it.": test.max(),
            "this is the accuracy on the validation set, which chose the epoch and is flattered "
            "by it.": validation.max(),
            "the sets are swapped: the test set must not choose.": validation[test.argmax()],
            "this is the last epoch: take the one that the validation set prefers.": test[-1],
            "this is the last epoch, and on the validation set.": validation[-1],
            "this is the epoch; report the accuracy after it.": 2,
            "this is the average over the epochs.": test.mean(),
        },
    )
