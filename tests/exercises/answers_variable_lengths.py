"""Answers to the exercises of chapter 13: right ones, and wrong ones with their messages."""

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence

from rnnlib.data.lengths import mask
from rnnlib.exercises.variable_lengths import (
    check_batch_sizes,
    check_masked_loss,
    check_reversed,
    check_unsorted,
)


def packed_sizes(lengths):
    x = torch.zeros(len(lengths), int(lengths.max()), 1)
    return pack_padded_sequence(x, lengths, True, enforce_sorted=False).batch_sizes


def counting(relation, last=0):
    """Count, for each step, the lengths that stand in this relation to it."""
    return lambda lengths: [
        int(relation(lengths, t).sum()) for t in range(1, int(lengths.max()) + 1 + last)
    ]


def placed(answers, order):
    restored = torch.empty_like(answers)
    restored[order] = answers
    return restored


def placed_by_rank(answers, order):
    restored = torch.empty_like(answers)
    restored[order.argsort()] = answers
    return restored


def each(logits, z):
    return F.cross_entropy(logits.flatten(0, 1), z.flatten(), reduction="none").view(z.shape)


def with_mask(reduce):
    """A loss that is told the loss of every step, and which steps are real."""
    return lambda logits, z, lengths: reduce(each(logits, z), mask(lengths, z.size(1)).double())


def selected(logits, z, lengths):
    return F.cross_entropy(logits[mask(lengths)], z[mask(lengths)])


def summed(logits, z, lengths):
    losses = [
        F.cross_entropy(row[:n], y[:n], reduction="sum") for row, y, n in rows(logits, z, lengths)
    ]
    return sum(losses) / lengths.sum()


def rows(logits, z, lengths):
    return zip(logits, z, lengths.tolist(), strict=True)


def ignoring_class_0(logits, z, lengths):
    return F.cross_entropy(logits.transpose(1, 2), z, ignore_index=0)


def masked_logits(logits, z, lengths):
    real = mask(lengths, z.size(1))
    return F.cross_entropy((logits * real[..., None]).transpose(1, 2), z)


def with_many_steps(logits, z, lengths):
    real = torch.arange(100)[: z.size(1)] < lengths[:, None]
    losses = F.cross_entropy(logits.transpose(1, 2), z, reduction="none")
    return (losses * real).sum() / real.sum()


def turned(x, lengths):
    result = torch.zeros_like(x)
    for i, n in enumerate(lengths.tolist()):
        result[i, :n] = x[i, :n].flip(0)
    return result


def gathered(x, lengths):
    t = torch.arange(x.size(1))
    source = torch.where(t < lengths[:, None], lengths[:, None] - 1 - t, t)
    return x.gather(1, source[..., None].expand_as(x))


def off_by(by):
    """Turn round, with the source one column off; what lies outside is 0."""

    def answer(x, lengths):
        result = torch.zeros_like(x)
        for i, n in enumerate(lengths.tolist()):
            for t in range(x.size(1)):
                if 0 <= n - 1 - t + by < n:
                    result[i, t] = x[i, n - 1 - t + by]
        return result

    return answer


def in_place(x, lengths):
    x.copy_(turned(x, lengths))
    return x


RIGHT = [
    (check_batch_sizes, counting(torch.ge)),
    (check_batch_sizes, lambda lengths: mask(lengths).sum(0)),
    (check_unsorted, placed),
    (check_masked_loss, with_mask(lambda losses, m: (losses * m).sum() / m.sum())),
    (check_masked_loss, with_many_steps),
    (check_reversed, turned),
    (check_reversed, gathered),
]

WRONG = [
    (check_batch_sizes, packed_sizes, "without packing anything"),
    (check_batch_sizes, counting(torch.gt), "one step late"),
    (check_batch_sizes, counting(torch.eq), "that end at each step"),
    (check_batch_sizes, lambda lengths: lengths.sort(descending=True).values, "longest first"),
    (check_batch_sizes, lambda lengths: lengths, "the lengths themselves"),
    (check_batch_sizes, lambda lengths: packed_sizes(lengths).flip(0), "last step to the first"),
    (check_batch_sizes, counting(torch.le), "have ended by each step"),
    (check_batch_sizes, counting(torch.ge, last=1), "one step too many"),
    (check_batch_sizes, lambda lengths: packed_sizes(lengths).cumsum(0), "sums from the first"),
    (check_batch_sizes, lambda lengths: 4, "has shape ()"),
    (check_batch_sizes, lambda lengths: ..., "returns nothing yet"),
    (
        check_unsorted,
        lambda answers, order: answers[order.argsort()],
        "asks for them without argsort",
    ),
    (check_unsorted, lambda answers, order: answers, "still sorted"),
    (check_unsorted, lambda answers, order: answers[order], "sorts a second time"),
    (check_unsorted, placed_by_rank, "row i is that of sequence order[i]"),
    (
        check_unsorted,
        lambda answers, order: answers[order.argsort(descending=True)],
        "argsort from small to large",
    ),
    (check_unsorted, lambda answers, order: answers.flip(0), "turns the rows round"),
    (check_unsorted, lambda answers, order: order.argsort(), "not the answers in them"),
    (check_unsorted, lambda answers, order: ..., "returns nothing yet"),
    (check_masked_loss, selected, "without selecting"),
    (check_masked_loss, summed, "without selecting"),
    (check_masked_loss, with_mask(lambda losses, m: losses.mean()), "counts the padding"),
    (check_masked_loss, with_mask(lambda losses, m: (losses * m).mean()), "still count in"),
    (
        check_masked_loss,
        with_mask(lambda losses, m: ((losses * m).sum(1) / m.sum(1)).mean()),
        "mean of the sequences' means",
    ),
    (check_masked_loss, with_mask(lambda losses, m: (losses * m).sum()), "this is a sum"),
    (
        check_masked_loss,
        with_mask(lambda losses, m: (losses * m).sum() / len(m)),
        "not of sequences",
    ),
    (check_masked_loss, ignoring_class_0, "class 0 is a class"),
    (check_masked_loss, masked_logits, "not the losses"),
    (check_masked_loss, with_mask(lambda losses, m: losses[m.bool()]), "for each step"),
    (check_masked_loss, with_mask(lambda losses, m: losses[m == 0].mean()), "keeps the padding"),
    (check_masked_loss, lambda logits, z, lengths: ..., "returns nothing yet"),
    (check_reversed, lambda x, lengths: x, "as it was"),
    (check_reversed, lambda x, lengths: x.flip(1), "the padding comes first"),
    (check_reversed, lambda x, lengths: x.flip(0), "the batch round"),
    (check_reversed, lambda x, lengths: x.flip(2), "the features round"),
    (check_reversed, off_by(1), "one step off"),
    (check_reversed, off_by(-1), "one step too far"),
    (check_reversed, in_place, "x itself was changed"),
    (check_reversed, lambda x, lengths: turned(x, lengths)[:, :-1], "has shape"),
    (check_reversed, lambda x, lengths: ..., "returns nothing yet"),
]
