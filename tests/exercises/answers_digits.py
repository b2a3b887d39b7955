"""Answers to the exercises of chapter 6: right ones, and wrong ones with their messages."""

import numpy as np
import torch

from rnnlib.exercises import (
    check_confusion_matrix,
    check_images_to_sequences,
    check_most_misread,
    check_reported_accuracy,
)


def sequences(images, by):
    rows = images.squeeze(1)
    return rows if by == "rows" else rows.transpose(1, 2)


def confusion(true, read, K):
    counts = np.zeros((K, K))
    for i, j in zip(true, read, strict=True):
        counts[i, j] += 1
    return counts


def confusion_once(true, read, K):
    counts = torch.zeros(K, K)
    counts[true, read] += 1
    return counts


def share_misread(counts):
    return 1 - counts.diagonal() / counts.sum(axis=1)


RIGHT = [
    (check_images_to_sequences, sequences),
    (check_images_to_sequences, lambda x, by: x[:, 0] if by == "rows" else x[:, 0].mT.numpy()),
    (check_confusion_matrix, confusion),
    (
        check_confusion_matrix,
        lambda t, r, K: torch.bincount(K * t + r, minlength=K * K).view(K, K),
    ),
    (check_most_misread, lambda c: share_misread(c).argmax()),
    (check_most_misread, lambda c: int(np.argmax(share_misread(c)))),
    (check_reported_accuracy, lambda v, t: t[v.argmax()]),
]

WRONG = [
    (check_images_to_sequences, lambda x, by: ..., "returns nothing yet"),
    (check_images_to_sequences, lambda x: x, "does not take the arguments"),
    (check_images_to_sequences, lambda x, by: x.squeeze(4), "raises IndexError"),
    (check_images_to_sequences, lambda x, by: x, "take the channel axis out"),
    (check_images_to_sequences, lambda x, by: x if by == "rows" else x.mT, "channel axis is"),
    (check_images_to_sequences, lambda x, by: x[:, 0], "you read rows, whatever by is"),
    (check_images_to_sequences, lambda x, by: x[:, 0].mT, "you read columns, whatever by is"),
    (
        check_images_to_sequences,
        lambda x, by: x[:, 0] if by == "rows" else x.reshape(len(x), x.shape[3], x.shape[2]),
        "swap the two axes with transpose",
    ),
    (check_images_to_sequences, lambda x, by: sequences(x, by).squeeze(), "squeeze() drops every"),
    (check_images_to_sequences, lambda x, by: sequences(x, by).transpose(0, 1), "time comes first"),
    (check_images_to_sequences, lambda x, by: sequences(x, by).flip(1), "run backwards"),
    (check_images_to_sequences, lambda x, by: x.flatten(1), "one long row"),
    (check_images_to_sequences, lambda x, by: 2 * sequences(x, by), "at [0, 0, 0] the result is"),
    (check_confusion_matrix, lambda t, r, K: ..., "returns nothing yet"),
    (check_confusion_matrix, lambda t, r, K: confusion(r, t, K), "lies on its side"),
    (check_confusion_matrix, confusion_once, "each entry is 0 or 1"),
    (check_confusion_matrix, lambda t, r, K: confusion(t, r, K)[:-1, :-1], "still needs a row"),
    (check_confusion_matrix, lambda t, r, K: confusion(t, r, K) / len(t), "shares of all images"),
    (
        check_confusion_matrix,
        lambda t, r, K: confusion(t, r, K) / confusion(t, r, K).sum(1, keepdims=True).clip(1),
        "not shares",
    ),
    (
        check_confusion_matrix,
        lambda t, r, K: confusion(t[t != r], r[t != r], K),
        "the right answers are missing",
    ),
    (check_confusion_matrix, lambda t, r, K: confusion(t[t == r], r[t == r], K), "only the right"),
    (
        check_confusion_matrix,
        lambda t, r, K: confusion(t, r, K)[0],
        "has shape (3,); expected (3, 3)",
    ),
    (check_most_misread, lambda c: ..., "returns nothing yet"),
    (
        check_most_misread,
        lambda c: (c.sum(1) - c.diagonal()).argmax(),
        "divide by the number of images",
    ),
    (check_most_misread, lambda c: (c.sum(0) - c.diagonal()).argmax(), "that is a column"),
    (check_most_misread, lambda c: c.diagonal().argmin(), "the fewest right answers"),
    (
        check_most_misread,
        lambda c: (1 - c.diagonal() / c.sum(0)).argmax(),
        "divides by the column's sum",
    ),
    (check_most_misread, lambda c: share_misread(c).argmin(), "read best"),
    (check_most_misread, lambda c: c.diagonal().argmax(), "beside the diagonal"),
    (check_most_misread, lambda c: share_misread(c).max(), "got a share"),
    (check_most_misread, lambda c: share_misread(c), "array of shape (7,)"),
    (check_reported_accuracy, lambda v, t: ..., "returns nothing yet"),
    (check_reported_accuracy, lambda v, t: t.max(), "chosen by the very images"),
    (check_reported_accuracy, lambda v, t: v.max(), "flatters"),
    (check_reported_accuracy, lambda v, t: v[t.argmax()], "the sets are swapped"),
    (check_reported_accuracy, lambda v, t: t[-1], "this is the last epoch"),
    (check_reported_accuracy, lambda v, t: v.argmax(), "this is the epoch"),
    (check_reported_accuracy, lambda v, t: t.mean(), "the average over the epochs"),
]
