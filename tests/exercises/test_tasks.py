"""What a task asks besides the numbers is looked at: loops, functions, dtypes, what stays."""

import torch
from torch import nn

from rnnlib.exercises.looks import has_loop

from .mutants import CHECKS


def loops(x, h_0, W_xh, W_hh, b_h):
    h = h_0
    for x_t in x:
        h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
    return h


def loops_by_while(x, h_0, W_xh, W_hh, b_h):
    h, t = h_0, 0
    while t < len(x):
        h = torch.tanh(x[t] @ W_xh + h @ W_hh + b_h)
        t += 1
    return h


def loops_in_a_helper(*given):
    return loops(*given)


def loops_in_a_comprehension(x, h, W_xh, W_hh, b_h):
    return [h := torch.tanh(x_t @ W_xh + h @ W_hh + b_h) for x_t in x][-1]


def loops_inside(*given):
    def inner():
        return loops_by_while(*given)

    return inner()


def test_a_loop_is_seen_wherever_it_hides():
    for answer in (
        loops,
        loops_by_while,
        loops_in_a_helper,
        loops_in_a_comprehension,
        loops_inside,
        lambda *given: loops(*given),
    ):
        assert has_loop(answer)
        assert "without a loop" in CHECKS["check_unfolded"](answer).message
    assert not has_loop(CHECKS["check_unfolded"].exercise.right)


def test_a_loop_around_a_lambda_is_none_of_its_own():
    answers = [lambda da, h: h[:-1].flatten() for _ in range(2)]
    assert not has_loop(answers[0])


def test_three_steps_written_out_are_not_any_length():
    def three(x, h, W_xh, W_hh, b_h):
        h = torch.tanh(x[0] @ W_xh + h @ W_hh + b_h)
        h = torch.tanh(x[1] @ W_xh + h @ W_hh + b_h)
        return torch.tanh(x[2] @ W_xh + h @ W_hh + b_h)

    assert not CHECKS["check_unfolded"](three)


def test_chunks_are_no_pieces_of_k_steps():
    def chunked(layer, x, k):
        h, outputs = None, []
        for piece in x.chunk(k):
            output, h = layer(piece, None if h is None else h.detach())
            outputs.append(output)
        return torch.cat(outputs)

    assert "not x.chunk(k)" in CHECKS["check_truncated"](chunked).message


def test_truncated_takes_arrays_and_detached_inputs_for_what_they_are():
    check = CHECKS["check_truncated"]
    right = check.exercise.right
    assert "expected a tensor" in check(lambda *given: right(*given).detach().numpy()).message
    assert check(lambda layer, x, k: right(layer, x.detach(), k)).message


def test_rebinding_list_items_clips_nothing():
    def rebinds(gradients, c):
        norm = torch.cat([g.flatten() for g in gradients]).norm().item()
        for i, g in enumerate(gradients):
            gradients[i] = g * min(1, c / norm)
        return norm

    assert "have not changed" in CHECKS["check_clip_norm"](rebinds).message


def test_floats_are_no_int64():
    right = CHECKS["check_own_symbols"].exercise.right
    for change in (torch.Tensor.float, torch.Tensor.int, torch.Tensor.double):
        message = CHECKS["check_own_symbols"](lambda *given, f=change: f(right(*given))).message
        assert "int64 is asked for" in message


def test_a_hard_coded_bias_frozen_parameters_and_another_shape():
    check = CHECKS["check_forget_bias"]
    right = check.exercise.right

    def frozen(lstm, value):
        right(lstm, value)
        for p in lstm.parameters():
            p.requires_grad_(False)

    def of_another_shape(lstm, value):
        lstm.bias_ih_l0 = nn.Parameter(torch.zeros(3))

    def only_two_rows(lstm, value):
        with torch.no_grad():
            for name, p in lstm.named_parameters():
                if "bias" in name:
                    p[2:4] = value if "ih" in name else 0.0

    assert "whatever is asked" in check(lambda lstm, value: right(lstm, 3.0)).message
    assert "is frozen" in check(frozen).message
    assert "has shape (3,)" in check(of_another_shape).message
    assert not check(only_two_rows)


class Cell(nn.Module):
    draw = staticmethod(lambda w, bound: w.uniform_(-bound, bound))
    bias = staticmethod(lambda w, bound: w.uniform_(-bound, bound))
    bound = staticmethod(lambda D, H: H**-0.5)
    scale = 1.0

    def __init__(self, D, H):
        super().__init__()
        bound = self.bound(D, H)
        self.W_xh = nn.Parameter(self.draw(torch.empty(D, H), bound))
        self.W_hh = nn.Parameter(self.draw(torch.empty(H, H), bound))
        self.b_h = nn.Parameter(self.bias(torch.empty(H), bound))

    def forward(self, x_t, h):
        return torch.tanh(x_t @ self.W_xh + h @ self.W_hh + self.b_h)


def cell(**changed):
    return type("MyCell", (Cell,), changed)


def test_a_cell_is_looked_at_from_all_sides():
    check = CHECKS["check_cell"]
    assert check(Cell)
    one = {
        "starts with one sign": cell(draw=staticmethod(lambda w, b: w.uniform_(0, b))),
        "b_h starts too large": cell(bias=staticmethod(lambda w, b: w.normal_())),
        "b_h starts at zero": cell(bias=staticmethod(lambda w, b: w.zero_())),
        "are equal": cell(draw=staticmethod(lambda w, b: w.fill_(b))),
        "W_xh starts too": cell(bound=staticmethod(lambda D, H: 0.22)),
        "comes from D": cell(bound=staticmethod(lambda D, H: D**-0.5)),
        "the root is missing": cell(bound=staticmethod(lambda D, H: 1 / H)),
        "standard deviation": cell(draw=staticmethod(lambda w, b: (w.bernoulli_() * 2 - 1) * b)),
        "starts with a mean": cell(draw=staticmethod(lambda w, b: w.uniform_(-b / 4, b))),
        "not finite": cell(draw=staticmethod(lambda w, b: w.fill_(torch.nan))),
        "detach, .data or no_grad": cell(
            forward=lambda self, x_t, h: Cell.forward(self, x_t, h).detach()
        ),
        "frozen": cell(
            __init__=lambda self, D, H: (Cell.__init__(self, D, H), self.requires_grad_(False))[0]
        ),
        "no gradient reaches W_hh": cell(
            forward=lambda self, x_t, h: torch.tanh(x_t @ self.W_xh + h @ self.W_hh.data + self.b_h)
        ),
        "two cells start with the same": cell(
            __init__=lambda self, D, H: (torch.manual_seed(0), Cell.__init__(self, D, H))[1]
        ),
        "expected a tensor": cell(forward=lambda self, x_t, h: 3.0),
        "MyCell raises ZeroDivisionError": cell(forward=lambda self, x_t, h: 1 / 0),
    }
    for message, wrong in one.items():
        assert message in check(wrong).message, (message, check(wrong))


def test_weights_of_a_class_are_found_by_no_optimiser():
    class Shared(Cell):
        def __init__(self, D, H):
            super().__init__(D, H)
            del self.W_xh

        W_xh = nn.Parameter(torch.empty(13, 100).uniform_(-0.1, 0.1))

    Shared.__setattr__ = object.__setattr__  # the class's own weights were there first
    assert "not among cell.parameters()" in CHECKS["check_cell"](Shared).message
