"""Compile the passes now, rather than when a network first runs: ``python -m rnnlib.bptt``."""

import torch

from rnnlib import bptt


def main() -> None:
    """Run every pass forwards and backwards in both float types; numba keeps what it compiles."""
    if bptt.compiled is None:
        print("numba is missing or switched off: the layers take their loops, which are slower.")
        return
    for dtype in (torch.float32, torch.float64):
        for kind, gates, states in ((bptt.rnn, 1, 1), (bptt.gru, 3, 1), (bptt.lstm, 4, 2)):
            shapes = [(2, 1), *[(1, 1)] * states, (gates, 1), (gates, 1), (gates,), (gates,)]
            data, *others = (torch.zeros(s, dtype=dtype, requires_grad=True) for s in shapes)
            kind(data, [1, 1], *others)[0].sum().backward()
    print("The passes are compiled.")


if __name__ == "__main__":
    main()
