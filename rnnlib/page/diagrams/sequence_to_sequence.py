"""One network that reads and one that writes, with and without attention."""

from itertools import pairwise

from rnnlib.page.colours import LAST, STATE
from rnnlib.page.diagrams.pen import Drawing, Pen


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
        pen.arrow((start + 27, row), (end - 27, row), colour=STATE if end <= decoder[1] else LAST)
    for j, x in encoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row)
        pen.circle(x, low)
        pen.symbol(x, row, f"h_{j}")
        pen.symbol(x, low, f"x_{j}")
    for t, x in decoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row, colour=LAST)
        pen.circle(x, low)
        pen.symbol(x, row, f"s_{t}")
        pen.symbol(x, low, f"z_{t - 1}")
        if not attention or t == 2:
            pen.arrow((x, row - 27), (x, out + 24))
            pen.circle(x, out)
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
            colour=LAST,
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
