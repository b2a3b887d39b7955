"""The CTC loss against its definition and against torch's, in value and gradient."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from rnnlib.models.ctc import (
    collapse,
    ctc_by_enumeration,
    ctc_lattice,
    ctc_loss,
    least_steps,
)

CLOSE = {"rtol": 0, "atol": 1e-10}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def logits(*shape, seed=0, dtype=torch.float64):
    return 2 * torch.randn(*shape, generator=seeded(seed), dtype=dtype)


def batch(N=12, T=30, K=6, L=8, seed=0, dtype=torch.float64, blank=0):
    """Logits, targets with many equal neighbours, and lengths, all of them possible."""
    generator = seeded(seed)
    x = logits(N, T, K, seed=seed, dtype=dtype).requires_grad_()
    classes = torch.tensor([k for k in range(K) if k != blank])
    targets = classes[torch.randint(2, (N, L), generator=generator)]
    target_lengths = torch.randint(0, L + 1, (N,), generator=generator)
    least = least_steps(targets, target_lengths).clamp(min=1)
    steps = torch.rand(N, generator=generator) * (T - least + 1)
    return x, targets, least + steps.long(), target_lengths


def torchs(x, targets, input_lengths, target_lengths, **options):
    log_probs = x.log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, **options)


def gradient(loss, x):
    return torch.autograd.grad(loss.sum(), x)[0]


# The definition


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ([], ()),
        ([0, 0], ()),
        ([1, 1, 2], (1, 2)),
        ([1, 0, 1], (1, 1)),
        ([0, 1, 1, 0, 2, 2, 0], (1, 2)),
        ([1, 2, 1], (1, 2, 1)),
    ],
)
def test_collapse_merges_and_then_drops(path, answer):
    assert collapse(path) == collapse(torch.tensor(path, dtype=torch.int64)) == answer


def test_collapse_with_another_blank():
    assert collapse([2, 0, 0, 2, 0, 1], blank=2) == (0, 0, 1)


@pytest.mark.parametrize("target", [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 2, 2), (2, 2, 2)])
@pytest.mark.parametrize("T", [1, 3, 6])
def test_the_loss_is_that_of_all_paths(target, T):
    x = logits(T, 3, seed=T).log_softmax(-1)
    target = torch.tensor(target, dtype=torch.int64)
    every = ctc_by_enumeration(x, target)
    recursion = ctc_loss(
        x[None], target[None], torch.tensor([T]), torch.tensor([len(target)]), reduction="none"
    )
    torch.testing.assert_close(recursion[0], every, **CLOSE)
    assert every.isinf() == (T < least_steps(target[None], torch.tensor([len(target)]))[0])


def test_the_probabilities_of_all_answers_add_up_to_1():
    x = logits(4, 3).log_softmax(-1)
    answers = [a for n in range(5) for a in itertools.product((1, 2), repeat=n)]
    losses = [ctc_by_enumeration(x, torch.tensor(a, dtype=torch.int64)) for a in answers]
    assert math.isclose(torch.stack(losses).neg().exp().sum().item(), 1.0, abs_tol=1e-12)


def test_alignments_are_counted_by_equal_probabilities():
    counts = []
    for T in range(2, 9):
        x = torch.full((T, 3), -math.log(3), dtype=torch.float64)
        counts.append(
            round(3**T * ctc_lattice(x, torch.tensor([1, 2])).log_probability.exp().item())
        )
    assert counts == [1, 5, 15, 35, 70, 126, 210]


# Against torch


@pytest.mark.parametrize("blank", [0, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_loss_and_gradient_are_torchs(seed, blank):
    x, *rest = batch(seed=seed, blank=blank)
    ours = ctc_loss(x.log_softmax(-1), *rest, blank=blank, reduction="none")
    theirs = torchs(x, *rest, blank=blank, reduction="none")
    assert theirs.isfinite().all()
    torch.testing.assert_close(ours, theirs, **CLOSE)
    torch.testing.assert_close(gradient(ours, x), gradient(theirs, x), **CLOSE)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_reductions_are_torchs(reduction):
    x, *rest = batch(seed=7)
    ours = ctc_loss(x.log_softmax(-1), *rest, reduction=reduction)
    theirs = torchs(x, *rest, reduction=reduction)
    torch.testing.assert_close(ours, theirs, **CLOSE)
    torch.testing.assert_close(gradient(ours, x), gradient(theirs, x), **CLOSE)


def test_the_mean_is_the_default_and_float32_works():
    x, *rest = batch(dtype=torch.float32)
    ours, theirs = ctc_loss(x.log_softmax(-1), *rest), torchs(x, *rest)
    assert ours.dtype == torch.float32
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, x), gradient(theirs, x))


def test_long_sequences_do_not_underflow():
    x, *rest = batch(N=3, T=400, K=20, L=60)
    torch.testing.assert_close(
        ctc_loss(x.log_softmax(-1), *rest), torchs(x, *rest), rtol=1e-12, atol=0
    )


def test_the_gradient_of_a_weighted_sum():
    x, *rest = batch(seed=3)
    weights = torch.rand(12, generator=seeded(), dtype=torch.float64)
    ours = ctc_loss(x.log_softmax(-1), *rest, reduction="none")
    theirs = torchs(x, *rest, reduction="none")
    torch.testing.assert_close(gradient(weights * ours, x), gradient(weights * theirs, x), **CLOSE)


def test_the_gradient_of_the_log_probabilities_themselves_is_right():
    """Torch's is not: it takes the log_softmax for granted. Ours agrees with finite differences."""
    log_probs = logits(2, 6, 3).log_softmax(-1).requires_grad_()
    arguments = torch.tensor([[1, 1], [2, 0]]), torch.tensor([6, 4]), torch.tensor([2, 1])
    assert torch.autograd.gradcheck(lambda x: ctc_loss(x, *arguments, reduction="none"), log_probs)


def test_classes_of_probability_0_are_no_obstacle():
    x = torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], dtype=torch.float64).log()
    x.requires_grad_()
    loss = ctc_loss(x[None], torch.tensor([[1]]), torch.tensor([2]), torch.tensor([1]))
    assert loss.item() == 0.0
    assert gradient(loss, x).tolist() == [[0, -1, 0], [-0.5, -0.5, 0]]


# Impossible targets


def test_too_few_steps_are_what_they_are_in_torch():
    x = logits(2, 4, 3).requires_grad_()
    arguments = torch.tensor([[1, 1, 2], [1, 1, 2]]), torch.tensor([4, 3]), torch.tensor([3, 3])
    ours = ctc_loss(x.log_softmax(-1), *arguments, reduction="none")
    assert ours[0].isfinite() and ours[1] == math.inf
    assert gradient(ours, x)[1, :3].isnan().all()
    assert gradient(torchs(x, *arguments, reduction="none"), x)[1, :3].isnan().all()
    ours = ctc_loss(x.log_softmax(-1), *arguments, reduction="none", zero_infinity=True)
    theirs = torchs(x, *arguments, reduction="none", zero_infinity=True)
    torch.testing.assert_close(ours, theirs, **CLOSE)
    assert ours[1] == 0
    torch.testing.assert_close(gradient(ours, x), gradient(theirs, x), **CLOSE)
    assert (gradient(ctc_loss(x.log_softmax(-1), *arguments, zero_infinity=True), x)[1] == 0).all()


def test_least_steps_counts_a_blank_between_equal_neighbours():
    targets = torch.tensor([[1, 2, 3, 1], [1, 1, 1, 2], [1, 1, 1, 1], [2, 2, 2, 2]])
    lengths = torch.tensor([4, 4, 2, 0])
    assert least_steps(targets, lengths).tolist() == [4, 6, 3, 0]


# Padding


def test_padding_is_never_read():
    x, targets, input_lengths, target_lengths = batch(seed=2)
    log_probs = x.log_softmax(-1)
    spoilt, others = log_probs.detach().clone(), targets.clone()
    for n in range(len(x)):
        spoilt[n, input_lengths[n] :] = math.nan
        others[n, target_lengths[n] :] = -100
    spoilt.requires_grad_()
    loss = ctc_loss(spoilt, others, input_lengths, target_lengths)
    torch.testing.assert_close(
        loss, ctc_loss(log_probs, targets, input_lengths, target_lengths), rtol=0, atol=0
    )
    got = gradient(loss, spoilt)
    assert got.isfinite().all()
    for n, length in enumerate(input_lengths):
        assert (got[n, length:] == 0).all()
        assert (got[n, :length] != 0).any()


# The lattice


def test_the_lattice_says_the_same_at_every_step():
    x, target = logits(7, 4).log_softmax(-1), torch.tensor([3, 3, 1])
    lattice = ctc_lattice(x, target)
    assert lattice.states.tolist() == [0, 3, 0, 3, 0, 1, 0]
    assert lattice.log_alpha.shape == lattice.log_beta.shape == lattice.occupancy.shape == (7, 7)
    total = (lattice.log_alpha + lattice.log_beta).logsumexp(dim=1)
    torch.testing.assert_close(total, lattice.log_probability.expand(7), **CLOSE)
    torch.testing.assert_close(-lattice.log_probability, ctc_by_enumeration(x, target), **CLOSE)
    torch.testing.assert_close(lattice.occupancy.sum(dim=1), torch.ones(7).double(), **CLOSE)


def test_the_occupancy_is_the_share_of_the_paths():
    """Add up the paths that are in class k at step t, one by one."""
    x, target = logits(5, 3).log_softmax(-1), torch.tensor([1, 2])
    share = torch.zeros(5, 3, dtype=torch.float64)
    for path in itertools.product(range(3), repeat=5):
        if collapse(path) == (1, 2):
            share[range(5), path] += x[range(5), path].sum().exp()
    lattice = ctc_lattice(x, target)
    by_class = torch.zeros(5, 3).double().index_add_(1, lattice.states, lattice.occupancy)
    torch.testing.assert_close(by_class, share / lattice.log_probability.exp(), **CLOSE)


def test_no_occupancy_without_a_path():
    lattice = ctc_lattice(logits(2, 3).log_softmax(-1), torch.tensor([1, 1]))
    assert lattice.log_probability == -math.inf
    with pytest.raises(ValueError, match="got one of 2 symbols in 2 steps"):
        _ = lattice.occupancy


# Errors

X = torch.zeros(2, 3, 4).log_softmax(-1)
Z, N_X, N_Z = torch.tensor([[1, 2], [3, 1]]), torch.tensor([3, 2]), torch.tensor([2, 1])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"log_probs": X.numpy()}, TypeError, "log_probs: expected a Tensor, got ndarray"),
        ({"log_probs": X[0]}, ValueError, "expected (N, T, K), got shape (3, 4)"),
        ({"log_probs": X.half()}, TypeError, "expected float32 or float64, got torch.float16"),
        ({"log_probs": X.exp()}, ValueError, "got 5.136 at [0, 0]; log_softmax makes them"),
        ({"log_probs": X - 1}, ValueError, "got 0.3679 at [0, 0]"),
        ({"log_probs": X * math.nan}, ValueError, "got nan at [0, 0]"),
        ({"targets": [[1, 2], [3, 1]]}, TypeError, "targets: expected a Tensor, got list"),
        ({"targets": Z.int()}, TypeError, "targets: expected int64, got torch.int32"),
        ({"targets": Z[:1]}, ValueError, "targets: expected (2, L), got shape (1, 2)"),
        ({"targets": Z.flatten()}, ValueError, "got shape (4,)"),
        ({"targets": Z - 1}, ValueError, "from 0 to 3 other than the blank, 0, got 0"),
        ({"targets": Z + 2}, ValueError, "other than the blank, 0, got 4"),
        ({"input_lengths": N_X + 1}, ValueError, "lengths: expected at most 3"),
        ({"input_lengths": N_X - 2}, ValueError, "lengths: expected at least 1, got 0"),
        ({"input_lengths": N_X.float()}, TypeError, "lengths: expected int64"),
        ({"target_lengths": N_Z + 1}, ValueError, "from 0 to 2, the symbols there are, got 2 to 3"),
        ({"target_lengths": N_Z - 2}, ValueError, "got -1 to 0"),
        ({"target_lengths": N_Z[:1]}, ValueError, "shape (2,), got (1,)"),
        ({"target_lengths": [2, 1]}, TypeError, "target_lengths: expected a Tensor, got list"),
        ({"blank": 4}, ValueError, "blank: expected a class from 0 to 3, got 4"),
        ({"blank": -1}, ValueError, "blank: expected a class from 0 to 3, got -1"),
        ({"blank": 1}, ValueError, "other than the blank, 1, got 1"),
        ({"blank": True}, TypeError, "blank: expected an int, got bool"),
        ({"reduction": "max"}, ValueError, "expected 'mean', 'sum' or 'none', got 'max'"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(change, error, message):
    arguments = {
        "log_probs": X,
        "targets": Z,
        "input_lengths": N_X,
        "target_lengths": N_Z,
    } | change
    with pytest.raises(error) as raised:
        ctc_loss(**arguments)
    assert message in str(raised.value)


@pytest.mark.parametrize("function", [ctc_by_enumeration, ctc_lattice])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X, Z[0]), ValueError, "log_probs: expected (T, K), got shape (2, 3, 4)"),
        ((X[0], Z), ValueError, "target: expected (L,), got shape (2, 2)"),
        ((X[0], [1, 2]), TypeError, "target: expected a Tensor, got list"),
        ((X[0], Z[0] - 1), ValueError, "other than the blank, 0, got 0"),
        ((X[0].exp(), Z[0]), ValueError, "log_softmax makes them from logits"),
    ],
)
def test_errors_of_one_sequence(function, arguments, error, message):
    with pytest.raises(error) as raised:
        function(*arguments)
    assert message in str(raised.value)


def test_too_many_paths_are_refused():
    x = torch.zeros(10, 4).log_softmax(-1)
    with pytest.raises(ValueError, match="at most 1,000,000 paths, got 4 to the power of 10"):
        ctc_by_enumeration(x, torch.tensor([1]))
