"""One step of a gated cell, as its equations say."""

from rnnlib.page.colours import COLOURS, INPUT, OUTPUT, STATE
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing


def lstm_cell(*, cut: bool = False) -> Drawing:
    """Draw one step of a long short-term memory, as its equations say.

    The cell state runs straight across the top: times f_t, plus i_t times g_t. Below it stand the
    three gates and the candidate, each fed by x_t and h_{t-1}; the new hidden state h_t leaves at
    the lower right.

    Parameters
    ----------
    cut : bool, default False
        Strike out what a gated recurrent unit leaves out, the input gate, the output gate and the
        tanh behind the cell state, and draw the two wires that replace them.

    Returns
    -------
    Drawing
    """
    pen = Pen()
    line, gate, bus = 46, 206, 272  # heights: the cell state's path, the gates, what they read
    middle = 128  # of the product i_t times g_t
    at = {"f": 118, "i": 203, "g": 289, "o": 376}
    add, tap, right = 246, 432, 492

    pen.arrow((60, line), (at["f"] - 14, line), colour=STATE)
    pen.arrow((at["f"] + 14, line), (add - 14, line), colour=STATE)
    pen.arrow((add + 14, line), (right - 26, line), colour=STATE)
    pen.arrow((tap, line), (tap, 84))
    pen.arrow((tap, 112), (tap, 148))
    pen.arrow(
        (right - 40, bus), (right - 26, bus), colour=STATE, curve=f"M{tap} 175V{bus}H{right - 36}"
    )

    # What every gate reads: one wire for x_t and h_{t-1}.
    pen.path(f"M60 {bus}H{at['o']}M76 311V{bus}")
    for x in at.values():
        pen.arrow((x, bus), (x, gate + 16))
    pen.arrow((at["f"], gate - 16), (at["f"], line + 14))
    for letter, side in (("i", -1), ("g", 1)):
        pen.arrow(
            (add + 40 * side, middle),
            (add + 14 * side, middle),
            curve=f"M{at[letter]} {gate - 16}V{middle}H{add + 24 * side}",
        )
    pen.arrow((add, middle - 14), (add, line + 14))
    pen.arrow((tap - 40, 162), (tap - 14, 162), curve=f"M{at['o']} {gate - 16}V162H{tap - 24}")

    for x, y, sign in (
        (at["f"], line, "×"),
        (add, line, "+"),
        (add, middle, "×"),
        (tap, 162, "×"),
    ):
        pen.circle(x, y, 13)
        pen.words(x, y, sign, size=18)
    names = {"f": "forget", "i": "input", "g": "candidate", "o": "output"}
    for letter, x in at.items():
        pen.box(x, gate, 44, 32, colour=INPUT if letter == "g" else OUTPUT)
        pen.words(x, gate, "tanh" if letter == "g" else "σ", size=15)
        pen.symbol(
            x + (8 if letter == "g" else -8),
            175,
            f"{letter}_t",
            size=20,
            anchor="start" if letter == "g" else "end",
        )
        pen.words(x + 6, 249, names[letter], size=13, anchor="start")
    pen.box(tap, 98, 44, 28, colour=OUTPUT)
    pen.words(tap, 98, "tanh", size=15)
    for y, letter in ((line, "c"), (bus, "h")):
        pen.box(34, y, empty=True)
        pen.symbol(34, y, f"{letter}_{{t-1}}", size=20)
        pen.box(right, y)
        pen.symbol(right, y, f"{letter}_t")
    pen.circle(76, 332, 21, colour=INPUT)
    pen.symbol(76, 332, "x_t")
    if cut:
        return _with_cuts(
            pen,
            tie=((at["f"], middle), (add - 14, middle)),
            show=((right, line + 26), (right, bus - 26)),
            struck=((at["i"], gate), (at["o"], gate), (tap, 98), (tap, 162)),
            size=(right + 28, 358),
        )
    title = "One step of a long short-term memory"
    description = (
        "The cell state c_{t-1} runs along a straight line at the top to c_t. On the way it is "
        "multiplied by the forget gate f_t, and the product of the input gate i_t and the "
        "candidate g_t is added. A branch of c_t goes through tanh, is multiplied by the output "
        "gate o_t and becomes the hidden state h_t, at the lower right. The three gates and the "
        "candidate read x_t and h_{t-1} from one wire at the bottom; the gates end in a sigmoid, "
        "the candidate in tanh."
    )
    caption = (
        "Each gate, and the candidate, reads |x_t| and |h_{t-1}| with weights and a bias of its "
        "own. From |c_{t-1}| to |c_t| there is one product, with |f_t|, and one sum."
    )
    return pen.drawing(right + 28, 358, title, description, caption=caption)


def _with_cuts(pen: Pen, *, tie, show, struck, size) -> Drawing:
    """Finish the LSTM's drawing with two new wires, and crosses over what they replace."""
    (x, y), end = tie
    pen.arrow((x, y), (x + 24, y), colour=OUTPUT)
    pen.arrow((x + 60, y), end, colour=OUTPUT)
    pen.box(x + 42, y, 36, 28, colour=OUTPUT)
    pen.words(x + 42, y, "1 −", size=15)
    pen.arrow(*show, colour=STATE)
    for x, y in struck:
        pen.path(
            f"M{x - 20} {y - 20}L{x + 20} {y + 20}M{x - 20} {y + 20}L{x + 20} {y - 20}",
            f'stroke="{COLOURS["bad"]}" stroke-width="3.5"',
        )
    title = "The two cuts that make a GRU of an LSTM"
    description = (
        "The drawing of the LSTM with four crosses. The first strikes out the input gate i_t: "
        "a wire from the forget gate f_t, through a box 1 minus, takes its place. Three more "
        "strike out the output gate o_t, its product and the tanh behind the cell state: an "
        "arrow leads straight from c_t to h_t."
    )
    caption = "First cut: |1 − f_t| instead of |i_t|. Second cut: |h_t| is |c_t|, all of it."
    return pen.drawing(*size, title, description, caption=caption)


def gru_cell() -> Drawing:
    """Draw one step of a gated recurrent unit, as its equations say.

    The state runs straight across the top: times z_t, plus (1 - z_t) times n_t. The reset gate
    r_t acts on the part of the candidate n_t that comes from the state, after the product.

    Returns
    -------
    Drawing
    """
    pen = Pen()
    line, mix, gate, reset = 46, 120, 190, 248  # heights: the state's path, and what feeds it
    rail, below = 300, 345  # what carries h_{t-1} and x_t to the gates
    z, n, r, right = 120, 225, 345, 330

    pen.arrow((60, line), (z - 14, line), colour=STATE)
    pen.arrow((z + 14, line), (n - 14, line), colour=STATE)
    pen.arrow((n + 14, line), (right - 26, line), colour=STATE)
    pen.path(f"M34 72V{rail}H{r + 8}", f'stroke="{STATE}"')
    pen.path(f"M57 {below}H{r - 8}", f'stroke="{INPUT}"')
    for x, y in ((z, gate), (r, reset)):
        pen.arrow((x + 8, rail), (x + 8, y + 16))
        pen.arrow((x - 8, below), (x - 8, y + 16), gap=(below - rail - 7, below - rail + 7))
    pen.arrow((n - 18, below), (n - 18, gate + 16), gap=(below - rail - 7, below - rail + 7))
    pen.arrow((n + 18, rail), (n + 18, reset + 13))
    pen.arrow((n + 18, reset - 13), (n + 18, gate + 16))
    pen.arrow((r - 22, reset), (n + 31, reset))

    pen.arrow((z, gate - 16), (z, line + 14))
    pen.arrow((z, mix), (z + 34, mix))
    pen.arrow((z + 70, mix), (n - 13, mix))
    pen.arrow((n, gate - 16), (n, mix + 13))
    pen.arrow((n, mix - 13), (n, line + 14))

    for x, y, sign in ((z, line, "×"), (n, line, "+"), (n, mix, "×"), (n + 18, reset, "×")):
        pen.circle(x, y, 13)
        pen.words(x, y, sign, size=18)
    pen.box(z + 52, mix, 36, 28, colour=OUTPUT)
    pen.words(z + 52, mix, "1 −", size=15)
    for x, y, width, function in ((z, gate, 44, "σ"), (n, gate, 68, "tanh"), (r, reset, 44, "σ")):
        pen.box(x, y, width, 32, colour=INPUT if function == "tanh" else OUTPUT)
        pen.words(x, y, function, size=15)
    pen.words(z - 28, gate, "update", size=13, anchor="end")
    pen.words(n + 40, gate, "candidate", size=13, anchor="start")
    pen.words(r + 28, reset, "reset", size=13, anchor="start")
    pen.symbol(z - 8, 146, "z_t", size=20, anchor="end")
    pen.symbol(n + 8, 152, "n_t", size=20, anchor="start")
    pen.symbol(r - 50, reset - 18, "r_t", size=20)
    pen.symbol(n + 26, 280, "W_hn", size=18, anchor="start")
    pen.symbol(n - 26, 325, "W_xn", size=18, anchor="end")
    pen.box(34, line, empty=True)
    pen.symbol(34, line, "h_{t-1}", size=20)
    pen.box(right, line)
    pen.symbol(right, line, "h_t")
    pen.circle(34, below, colour=INPUT)
    pen.symbol(34, below, "x_t")
    title = "One step of a gated recurrent unit"
    description = (
        "The state h_{t-1} runs along a straight line at the top to h_t. On the way it is "
        "multiplied by the update gate z_t, and the product of 1 - z_t and the candidate n_t is "
        "added. The update gate and the reset gate r_t, two sigmoids, both read x_t and h_{t-1}. "
        "The candidate is a tanh of two parts: x_t times W_xn, and h_{t-1} times W_hn multiplied "
        "by the reset gate."
    )
    caption = (
        "One gate, |z_t|, divides the new state between the old state and the candidate. The "
        "other, |r_t|, decides how much of |h_{t-1} W_hn + b_hn| the candidate sees."
    )
    return pen.drawing(418, 374, title, description, caption=caption)
