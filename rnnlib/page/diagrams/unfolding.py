"""One layer: folded, unfolded in time, its way back, and the shapes of problems it serves."""

from rnnlib.page.arguments import count
from rnnlib.page.colours import GRADIENT, INPUT, OUTPUT, STATE
from rnnlib.page.diagrams.letters import listed, series
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, page

MAX_STEPS = 6
"""More columns than this are too small to read on a phone."""


def loop() -> Drawing:
    """Draw the folded view: one cell with an arrow to itself.

    Returns
    -------
    Drawing
    """
    pen = Pen()
    x = 110
    pen.arrow((x, 199), (x, 155))
    pen.arrow((x, 101), (x, 58))
    # Out of the right side, round, and in again one step later.
    pen.arrow(
        (x + 45, 152),
        (x + 27, 141),
        colour=STATE,
        curve=f"M{x + 27} 114C{x + 112} 70 {x + 112} 194 {x + 35.5} 146.2",
    )
    pen.box(x, 128)
    pen.circle(x, 34, colour=OUTPUT)
    pen.circle(x, 222, colour=INPUT)
    pen.symbol(x, 34, "y_t")
    pen.symbol(x, 128, "h_t")
    pen.symbol(x, 222, "x_t")
    pen.symbol(x - 9, 177, "W_xh", size=20, anchor="end")
    pen.symbol(x - 9, 80, "W_hy", size=20, anchor="end")
    pen.symbol(x + 98, 118, "W_hh", size=20, anchor="start", colour=STATE)
    pen.words(x + 98, 143, "one step later", size=15, anchor="start")
    title = "A recurrent network, folded"
    description = (
        "One cell with the state h_t. An arrow W_xh enters it from the input x_t below, an arrow "
        "W_hy leads to the output y_t above, and an arrow W_hh leaves the cell and returns to it: "
        "the state of one step is read at the next."
    )
    return pen.drawing(310, 256, title, description)


def pitch_of(steps: int) -> int:
    """Return the distance of two steps."""
    return 100 if steps <= 4 else 86


def unfolded(steps: int = 4) -> Drawing:
    """Draw the same network unfolded in time, each weight named on every copy.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 6.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = count("steps", steps, MAX_STEPS)
    pen = Pen()
    pitch, left = pitch_of(T), 28
    pen.box(left, 128, 46, 46, empty=True)
    pen.symbol(left, 128, "h_0")
    for t in range(1, T + 1):
        x = left + pitch * t
        start = x - pitch + (24 if t == 1 else 27)
        pen.arrow((x, 199), (x, 155))
        pen.arrow((x, 101), (x, 58))
        pen.arrow((start, 128), (x - 27, 128), colour=STATE)
        pen.box(x, 128)
        pen.circle(x, 34, colour=OUTPUT)
        pen.circle(x, 222, colour=INPUT)
        pen.symbol(x, 34, f"y_{t}")
        pen.symbol(x, 128, f"h_{t}")
        pen.symbol(x, 222, f"x_{t}")
        pen.symbol(x + 8, 177, "W_xh", size=19, anchor="start")
        pen.symbol(x + 8, 80, "W_hy", size=19, anchor="start")
        pen.symbol((start + x - 27) / 2 - 1, 110, "W_hh", size=19 if T < 5 else 16, colour=STATE)
    width = left + pitch * T + 48
    if T > 1:
        pen.words(left + pitch - 23, 272, "time", size=16, anchor="start")
        pen.arrow((left + pitch + 20, 273), (width - 25, 273))
    title = f"The same network, unfolded over {T} step{'s' * (T > 1)}"
    description = (
        f"Time runs to the right. At each step t the input x_t, below, and the state of the step "
        f"before enter the state h_t in the middle, and h_t leads to the output y_t above. The "
        f"first step reads the given state h_0. The arrows W_xh, W_hh and W_hy bear the same names "
        f"at all {T} steps: the weights are shared. Shown: {series('x', T)}, {series('h', T)}, "
        f"{series('y', T)}."
    )
    height = 290 if T > 1 else 256
    return pen.drawing(width, height, title, description)


def backward_pass(steps: int = 4) -> Drawing:
    """Draw the unfolded network with the gradients that run back through it.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 6.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = count("steps", steps, MAX_STEPS)
    pen = Pen()
    pitch, left, aside = pitch_of(T), 28, 9
    small = 17 if T < 5 else 16
    pen.box(left, 128, 46, 46, empty=True)
    pen.symbol(left, 128, "h_0")
    for t in range(1, T + 1):
        x = left + pitch * t
        before = x - pitch + (24 if t == 1 else 27)
        pen.arrow((x - aside, 199), (x - aside, 155))
        pen.arrow((x - aside, 101), (x - aside, 57))
        pen.arrow((before, 128 - aside), (x - 27, 128 - aside), colour=STATE)
        pen.arrow((x + aside, 57), (x + aside, 101), colour=GRADIENT)
        pen.arrow((x + aside, 155), (x + aside, 199), colour=GRADIENT)
        pen.arrow((x - 27, 128 + aside), (before, 128 + aside), colour=GRADIENT)
        pen.box(x, 128)
        pen.circle(x, 34, colour=OUTPUT)
        pen.circle(x, 222, colour=INPUT)
        pen.symbol(x, 34, f"y_{t}")
        pen.symbol(x, 128, f"h_{t}")
        pen.symbol(x, 222, f"x_{t}")
        pen.symbol(x + 17, 78, f"g_{t}", size=19, anchor="start", colour=GRADIENT)
        pen.symbol(x + 17, 184, "W_xh^{⊤}", size=small, anchor="start", colour=GRADIENT)
        pen.symbol((before + x - 27) / 2 - 1, 156, "W_hh^{⊤}", size=small, colour=GRADIENT)
    width = left + pitch * T + 48
    title = f"The way back through {T} step{'s' * (T > 1)}"
    description = (
        f"The network unfolded over {T} step{'s' * (T > 1)}, with two arrows wherever there was "
        "one. The forward arrows run from x_t up to h_t, from each state right to the next, and "
        "up to y_t. Beside each an orange one runs the other way: g_t from y_t down to h_t, W_hh "
        "transposed from h_t left to the state before, down to h_0, and W_xh transposed from h_t "
        f"down to x_t. No orange arrow enters the last state, h_{T}, from the right."
    )
    caption = (
        "The way back in orange. A state receives its direct gradient |g_t| from above and, except "
        "for the last, what the next step hands back, and adds the two. It multiplies by the slope "
        "of tanh, and hands the result to the left and down. Each weight collects on the way."
    )
    return pen.drawing(width, 256, title, description, caption=caption)


_SHAPES = (
    # name, steps, which steps have an input, which an output, example
    ("one to one", (1,), (1,), "one picture, one label"),
    ("one to many", (1,), (1, 2, 3), "one topic, a sentence"),
    ("many to one", (1, 2, 3), (3,), "a sentence, one verdict"),
    ("many to many", (1, 2, 3), (1, 2, 3), "each letter, the next letter"),
    ("many to many, after reading", (1, 2), (3, 4), "a sentence, its translation"),
)


def problem_shapes() -> Drawing:
    """Draw the shapes of problems, by which steps have an input and which an output.

    One to one, one to many, many to one, many to many, and many to many after reading. The small
    networks stand side by side and wrap on a narrow page.

    Returns
    -------
    Drawing
    """
    cells = []
    for name, inputs, outputs, example in _SHAPES:
        T = max(inputs[-1], outputs[-1])
        pen = Pen()
        pitch, width = 62, 244
        left = width / 2 - pitch * (T - 1) / 2
        for t in range(1, T + 1):
            x = left + pitch * (t - 1)
            if t > 1:
                pen.arrow((x - pitch + 22, 110), (x - 22, 110), colour=STATE)
            pen.box(x, 110, 42, 42)
            pen.symbol(x, 110, f"h_{t}")
            if t in inputs:
                pen.arrow((x, 171), (x, 132))
                pen.circle(x, 192, 20, colour=INPUT)
                pen.symbol(x, 192, f"x_{t}")
            if t in outputs:
                pen.arrow((x, 88), (x, 49))
                pen.circle(x, 28, 20, colour=OUTPUT)
                pen.symbol(x, 28, f"y_{t}")
        description = (
            f"{T} step{'s' * (T > 1)}, {listed([f'h_{t}' for t in range(1, T + 1)])}"
            f"{', joined by arrows from left to right' * (T > 1)}. "
            f"Input at {listed([f'x_{t}' for t in inputs])}, "
            f"output at {listed([f'y_{t}' for t in outputs])}."
        )
        cells.append(
            f'<div class="shape">{pen.image(width, 220, f"{name}: {description}", zoom=1)}'
            f"<b>{name}</b><small>{example}</small></div>"
        )
    style = (
        ".rnn-drawing .shapes{display:flex;flex-wrap:wrap;justify-content:center;gap:1.2rem .8rem;"
        "max-width:44rem;margin:0 auto}"
        ".rnn-drawing .shape{flex:0 1 13.5rem;min-width:9.5rem;text-align:center}"
        "@media(max-width:640px){.rnn-drawing .shape{flex-basis:calc(50% - .4rem);min-width:0}}"
        ".rnn-drawing .shape b,.rnn-drawing .shape small{display:block;line-height:1.3}"
    )
    title = "Five shapes of problems"
    description = (
        "Five small unfolded networks. One to one: one input, one state, one output. One to many: "
        "an input at the first of three steps, an output at each. Many to one: an input at each of "
        "three steps, an output at the last. Many to many: an input and an output at each step. "
        "Many to many, after reading: inputs at the first two of four steps, outputs at the last "
        "two."
    )
    body = f'<div class="shapes" role="group" aria-label="{title}">{"".join(cells)}</div>'
    return Drawing(title, description, page(body, style=style))
