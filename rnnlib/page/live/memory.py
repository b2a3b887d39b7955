"""What memory buys: the reader types letters; a network with memory and one without go on."""

from collections.abc import Callable

import torch
from torch import Tensor

from rnnlib.layers import RNN
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters
from rnnlib.page.live.figure import Text, live
from rnnlib.page.live.plot import UPRIGHT, Shades, hundredths
from rnnlib.page.live.typed import placed
from rnnlib.page.live.weights import encoded

MOST = 9
"""Letters shown; of a longer text the last ones."""
WIDE, HIGH, TOP = 21, 21, 46
MAPS = {
    "memory": Shades(26, TOP, WIDE, HIGH, "memory"),
    "none": Shades(262, TOP, WIDE, HIGH, "none"),
}
TITLES = {"memory": "with memory", "none": "without memory"}


@torch.no_grad()
def what_memory_buys(
    rnn: RNN,
    readout: Callable[[Tensor], Tensor],
    without: Callable[[Tensor], Tensor],
    symbols: str,
    first: str,
) -> Drawing:
    """Draw what two networks expect after each letter of a text; the reader types the text.

    Parameters
    ----------
    rnn : RNN
        A plain one, of one layer and direction, that reads one-hot letters, (1, T, V).
    readout : callable
        From its states, (1, T, H), to scores, (1, T, V).
    without : callable
        A network without memory, from one-hot letters to scores, (1, T, V).
    symbols : str
        The V letters.
    first : str
        The text at first, of MOST letters at most.

    Returns
    -------
    Drawing
    """
    one_hot = torch.eye(len(symbols), device=rnn.weight_ih_l0.device)
    after = one_hot[[symbols.index(letter) for letter in first]][None]
    said = {
        "memory": readout(rnn(after)[0])[0].softmax(dim=1),
        "none": without(after)[0].softmax(dim=1),
    }
    pen = Pen()
    for name, shades in MAPS.items():
        ink = f'class="out" fill="{letters(COLOURS["output"])}" {UPRIGHT}'
        pen.text(TITLES[name], shades.left, 14, 13, "start", ink)
        shades.draw(pen, said[name].T.tolist(), COLOURS["output"])
        above = [(shades.left + (t + 0.5) * WIDE, TOP - 7) for t in range(len(first))]
        placed(pen, f"given typed {name}", "input", first, above.__getitem__)
        beside = [(shades.left - 12, TOP + (k + 0.72) * HIGH) for k in range(len(symbols))]
        placed(pen, "out", "output", symbols, beside.__getitem__)
        frame = f"M{shades.left} {TOP}h{MOST * WIDE}v{len(symbols) * HIGH}h-{MOST * WIDE}z"
        pen.path(frame, 'stroke="currentColor" opacity=".4"')
    # The biases are added to what comes from the letter, once for all steps.
    from_letter = rnn.weight_ih_l0.T + rnn.bias_ih_l0 + rnn.bias_hh_l0
    states = torch.eye(rnn.hidden_size, device=one_hot.device)
    b_y = readout(torch.zeros_like(states[0]))
    return live(
        "What memory buys",
        "Two maps: across, the letters of "
        f"“{first}”; down, the letters {', '.join(symbols)}; darker where the network "
        "gives the next letter a higher probability.",
        "".join(pen.parts),
        (460, TOP + len(symbols) * HIGH + 6),
        [Text("text", "type h, e, l and o", first, most=200)],
        {
            "symbols": symbols,
            "most": MOST,
            "titles": TITLES,
            "maps": {name: shades.data() for name, shades in MAPS.items()},
            # To as many decimals as training leaves alike on another processor.
            "weights": {
                name: encoded(numbers.round(decimals=2), "<f8")
                for name, numbers in {
                    "a": from_letter,
                    "W_hh": rnn.weight_hh_l0.T,
                    "W_hy": readout(states) - b_y,
                    "b_y": b_y,
                    "none": without(one_hot),
                }.items()
            },
        },
        ("plot", "cells", "weights", "typed", "memory"),
        f"After “<b>{first}</b>”: "
        + "; ".join(f"{TITLES[name]} {_two(rows[-1], symbols)}" for name, rows in said.items())
        + ".",
        zoom=1.15,
    )


def _two(probabilities: Tensor, symbols: str) -> str:
    """Name the two letters that are expected most."""
    best = probabilities.topk(2)
    return ", ".join(
        f"<b>{symbols[k]}</b> {hundredths(p)}"
        for p, k in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    )
