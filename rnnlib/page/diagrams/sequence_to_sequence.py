"""One network that reads and one that writes, with and without attention; and how it searches."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rnnlib.page.arguments import named
from rnnlib.page.colours import INPUT, OUTPUT, SECOND, STATE
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, Drawing


def encoder_decoder(*, attention: bool = False) -> Drawing:
    """Draw an encoder with three steps and a decoder with three.

    Parameters
    ----------
    attention : bool, default False
        Whether the context of the second step is drawn, which looks at all states, instead of
        the one context of all three steps.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError
        If `attention` is not a bool.
    """
    if not isinstance(attention, bool):
        raise TypeError(f"attention: expected a bool, got {type(attention).__name__}")
    pen = Pen()
    out, row, low = 34, 150, 244
    encoder = {j: 40 + 84 * (j - 1) for j in (1, 2, 3)}
    decoder = {t: 312 + 84 * (t - 1) for t in (1, 2, 3)}
    states = [*encoder.values(), *decoder.values()]
    for start, end in pairwise(states):
        pen.arrow((start + 27, row), (end - 27, row), colour=STATE if end <= decoder[1] else SECOND)
    for j, x in encoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row)
        pen.circle(x, low, colour=INPUT)
        pen.symbol(x, row, f"h_{j}")
        pen.symbol(x, low, f"x_{j}")
    for t, x in decoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row, colour=SECOND)
        pen.circle(x, low, colour=INPUT)
        pen.symbol(x, row, f"s_{t}")
        pen.symbol(x, low, f"z_{t - 1}")
        if not attention or t == 2:
            pen.arrow((x, row - 27), (x, out + 24))
            pen.circle(x, out, colour=OUTPUT)
            pen.symbol(x, out, f"y_{t}")
    if not attention:
        # One line from the last state, and a branch of it to every output.
        x, bus = encoder[3], 92
        turn = f"M{x} {row - 27}V{bus + 8}Q{x} {bus} {x + 8} {bus}H{decoder[3] - 40}"
        pen.path(turn)
        pen.symbol(x + 34, bus - 14, "c", size=20)
        for x in decoder.values():
            pen.arrow((x - 40, bus), (x - 14, out + 20))
    if attention:
        x, query = encoder[2], decoder[2]
        # From every state to the context, and from there to the output.
        for j, from_x in encoder.items():
            side = 16 * (j - 2)
            pen.arrow((from_x, row - 27), (x + side, out + 24 - abs(side) / 3))
        pen.arrow((x + 24, out), (query - 24, out))
        pen.circle(x, out)
        pen.symbol(x, out, "c_2")
        pen.arrow(
            (x + 60, out + 33),
            (x + 22, out + 12),
            colour=SECOND,
            curve=f"M{query - 20} {row - 27}C{query - 60} {row - 72} {x + 150} {out + 70} "
            f"{x + 30} {out + 16}",
        )
        pen.words(x + 158, out + 34, "asks", size=14, anchor="start")
    pen.words(encoder[2], low + 42, "encoder", size=16)
    pen.words(decoder[2], low + 42, "decoder", size=16)
    title = "An encoder and a decoder" + (", with attention at the second step" * attention)
    description = (
        "On the left the encoder: the inputs x_1 to x_3 enter the states h_1 to h_3, and arrows "
        "lead from each state to the next. An arrow leads on from h_3 to s_1, the first state of "
        "the decoder, on the right. Its states s_1 to s_3 read the symbols z_0 to z_2 from below. "
    )
    if attention:
        description += (
            "Above the encoder stands the context c_2: arrows lead to it from all three states of "
            "the encoder, and one from the state s_2, which asks. The context c_2 and the state "
            "s_2 lead to the output y_2."
        )
        caption = (
            "The state |s_2| decides how much of each |h_j| enters the context |c_2|; both give "
            "the output |y_2|. The other steps do the same with contexts of their own."
        )
    else:
        description += (
            "Each leads to an output y_1 to y_3 above. Another line leads from h_3 to all three "
            "outputs; it is the context c."
        )
        caption = (
            "The encoder's last state |h_3| is all that the decoder is told: its first state, and "
            "once more the context |c| of every output. |z_0| is a start symbol; each |y_t| gives "
            "the probabilities of the next symbol |z_t|."
        )
    return pen.drawing(decoder[3] + 44, low + 58, title, description, caption=caption)


def beam(first: Mapping[str, float], second: Mapping[str, Sequence[float]]) -> Drawing:
    """Draw a beam search of width 2 over answers of two symbols.

    Parameters
    ----------
    first : dict from symbol to float
        Two symbols, each with its probability at the start.
    second : dict from symbol to two floats
        After each of them, the probabilities of the two symbols in the same order.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If these are not two symbols, each with a positive probability and two after it.
    """
    chances = {symbol: float(p) for symbol, p in first.items()}
    after = named("second", second, finite=True, positive=True)
    pairs = all(len(values) == 2 for values in after.values())
    if len(chances) != 2 or list(after) != list(chances) or not pairs or min(chances.values()) <= 0:
        raise ValueError(
            "first, second: expected two symbols with positive probabilities, and two more after "
            f"each, got {dict(first)} and {dict(second)}"
        )
    whole = {a + b: chances[a] * p for a in chances for b, p in zip(chances, after[a], strict=True)}
    kept = sorted(whole, key=whole.get)[-2:]
    greedy = max(chances, key=chances.get)
    greedy = max((answer for answer in whole if answer[0] == greedy), key=whole.get)
    pen, columns, high, gap = Pen(), (40, 170, 316), 44, 68
    leaves = {answer: 30 + gap * i for i, answer in enumerate(whole)}
    inner = {a: 30 + gap * (2 * i + 0.5) for i, a in enumerate(chances)}

    def branch(start, end, p, on_greedy):
        (x0, y0), (x1, y1) = start, end
        pen.arrow((x0 + 24, y0), (x1 - 26, y1), colour=STATE if on_greedy else None)
        pen.words((x0 + x1) / 2, (y0 + y1) / 2 - 13, f"{p:g}", size=14)

    root = (columns[0], 30 + gap * 1.5)
    for a, y in inner.items():
        branch(root, (columns[1], y), chances[a], a == greedy[0])
        for answer, p in zip((a + b for b in chances), after[a], strict=True):
            branch((columns[1], y), (columns[2], leaves[answer]), p, answer == greedy)
    pen.circle(*root)
    pen.words(*root, "^", size=18, family=MONO)
    for a, y in inner.items():
        pen.box(columns[1], y, 48, high)
        pen.words(columns[1], y, a, size=18, family=MONO)
    for answer, y in leaves.items():
        colour = OUTPUT if answer == kept[-1] else STATE
        pen.box(columns[2], y, 48, high, colour=colour, empty=answer not in kept)
        pen.words(columns[2], y, answer, size=18, family=MONO)
        pen.words(columns[2] + 36, y, f"{whole[answer]:.2f}", size=15, anchor="start")
    title = "A beam search of width 2"
    listed = ", ".join(f"{answer} with {p:.2f}" for answer, p in whole.items())
    description = (
        f"A tree. From the start symbol arrows lead to the two beginnings, and from each of them "
        f"to two answers: {listed}. The two answers kept are {kept[1]} and {kept[0]}; the greedy "
        f"search follows the thick arrows to {greedy}."
    )
    caption = (
        "A number on an arrow is the probability of the next symbol, one behind an answer their "
        "product. Thick: the greedy way. Filled: what a beam of width 2 keeps. Green: its best."
    )
    return pen.drawing(columns[2] + 84, 60 + 3 * gap, title, description, caption=caption)
