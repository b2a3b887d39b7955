"""Answers to the exercises of chapter 3: right ones, and wrong ones with their messages."""

import torch
from torch import nn

from rnnlib import unroll
from rnnlib.exercises import check_cell, check_initial_std, check_stack, check_summary


class Cell(nn.Module):
    """The solution; each wrong cell below changes one thing."""

    scale, made = 1.0, nn.Parameter

    def __init__(self, D, H):
        super().__init__()
        for name, shape in (("W_xh", (D, H)), ("W_hh", (H, H)), ("b_h", (H,))):
            weight = (2 * torch.rand(shape) - 1) / H**0.5
            setattr(self, name, self.made(self.scale * weight))

    def forward(self, x_t, h):
        return torch.tanh(self.a(x_t, h))

    def a(self, x_t, h):
        return x_t @ self.W_xh + h @ self.W_hh + self.b_h


class Plain(Cell):
    made = staticmethod(lambda weight: weight)


class Large(Cell):
    scale = 4.0


class Small(Cell):
    scale = 0.01


class NoTanh(Cell):
    def forward(self, x_t, h):
        return self.a(x_t, h)


class NoBias(Cell):
    def forward(self, x_t, h):
        return torch.tanh(self.a(x_t, h) - self.b_h)


class Forgetful(Cell):
    def forward(self, x_t, h):
        return super().forward(x_t, 0 * h)


class Transposed(Cell):
    def a(self, x_t, h):
        return x_t @ self.W_xh + h @ self.W_hh.T + self.b_h


class Renamed(Cell):
    def __init__(self, D, H):
        super().__init__(D, H)
        del self.W_hh


def stack(x, h_0, cell_1, cell_2):
    lower, h_1 = unroll(cell_1, x, h_0[0])
    upper, h_2 = unroll(cell_2, lower, h_0[1])
    return upper, torch.stack([h_1, h_2])


RIGHT = [
    (check_cell, Cell),
    (check_initial_std, lambda H: (3 * H) ** -0.5),
    (check_summary, lambda output, h_n: h_n[-1]),
    (check_stack, stack),
]

WRONG = [
    (check_cell, Plain, "W_xh is a plain tensor"),
    (check_cell, Large, "starts too large"),
    (check_cell, Small, "starts too small"),
    (check_cell, NoTanh, "tanh is missing"),
    (check_cell, NoBias, "bias is missing"),
    (check_cell, Forgetful, "ignores h"),
    (check_cell, Transposed, "W_hh is transposed"),
    (check_cell, Renamed, "has no W_hh"),
    (check_cell, lambda D, H: torch.tanh, "expected an nn.Module"),
    (check_initial_std, lambda H: H**-0.5, "this is the bound"),
    (check_initial_std, lambda H: 1 / (3 * H), "this is the variance"),
    (check_initial_std, lambda H: (12 * H) ** -0.5, "2b wide"),
    (check_summary, lambda output, h_n: h_n[0], "bottom layer"),
    (check_summary, lambda output, h_n: output[-1], "only if time comes first"),
    (check_summary, lambda output, h_n: output[:, -1], "only with batch_first=True"),
    (check_summary, lambda output, h_n: output[0], "output[0] is the first step"),
    (check_summary, lambda output, h_n: h_n, "with all its layers"),
    (check_stack, lambda x, h, a, b: (unroll(a, x, h[0])[0], h), "output is the lower layer"),
    (check_stack, lambda x, h, a, b: stack(x, 0 * h, a, b), "zeros instead of h_0"),
    (check_stack, lambda x, h, a, b: stack(x, h.flip(0), a, b), "h_0 are swapped"),
    (check_stack, lambda *a: stack(*a)[0], "expected two results"),
    (check_stack, lambda *a: (stack(*a)[0], stack(*a)[1].flip(0)), "upside down"),
    (check_stack, lambda *a: (stack(*a)[0][-1], stack(*a)[1]), "every step of the top layer"),
    (check_stack, lambda *a: (stack(*a)[0], stack(*a)[1][-1]), "last state of both layers"),
]
