"""Two directions side by side: as a drawing, and with a slider that lets both read."""

from rnnlib.page.arguments import count
from rnnlib.page.colours import INPUT, OUTPUT, SECOND, STATE
from rnnlib.page.diagrams.letters import listed, series, typeset
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, number
from rnnlib.page.live.figure import Slider, live

MAX_STEPS = 5


def _parts(T: int) -> tuple[list[Pen], tuple[float, float]]:
    """Return what appears at the moments 0 to T, if both read at once, and the view's size."""
    moments = [Pen() for _ in range(T + 1)]
    pitch = 108 if T < 5 else 100
    left, off, box = 24, 23, 42
    out, join, back, forth, low = 30, 112, 190, 272, 362
    crossing = forth - 22 - back
    right = left + 84 + pitch * (T - 1) + off + 61
    for t in range(1, T + 1):
        x = left + 84 + pitch * (t - 1)
        a, b = x - off, x + off
        forwards, backwards = moments[t], moments[T + 1 - t]
        both = moments[max(t, T + 1 - t)]
        # To each direction from below, past the other one's recurrent arrow.
        for pen, to, end in ((forwards, a, forth + 22), (backwards, b, back + 22)):
            side = 1 if to == b else -1
            curve = f"M{number(x + side * 9)} {low - 21}C{number(x + side * 9)} {low - 36} "
            curve += f"{number(to)} {low - 34} {number(to)} {low - 50}"
            if to == b and t < T:
                curve += f"V{forth + 7}M{number(to)} {forth - 7}"
            pen.arrow((to, low), (to, end), curve=f"{curve}V{end + 10}")
        both.arrow(
            (a, forth - 22), (a, join + 15), gap=(crossing - 7, crossing + 7) if t > 1 else None
        )
        both.arrow((b, back - 22), (b, join + 15))
        both.arrow((x, join - 15), (x, out + 24))
        forwards.arrow(
            (24 + 22 if t == 1 else a - pitch + 22, forth), (a - 22, forth), colour=STATE
        )
        last = b + pitch if t < T else b + 61
        backwards.arrow((last - 22, back), (b + 22, back), colour=SECOND)
        forwards.box(a, forth, box, box)
        backwards.box(b, back, box, box, colour=SECOND)
        both.box(a, join, 2 * off, 28)
        both.box(b, join, 2 * off, 28, colour=SECOND)
        both.circle(x, out, colour=OUTPUT)
        both.symbol(x, out, f"y_{t}")
        moments[0].circle(x, low, colour=INPUT)
        moments[0].symbol(x, low, f"x_{t}")
        forwards.symbol(a, forth + 4, f"h_{t}", size=20, over=1)
        backwards.symbol(b, back + 4, f"h_{t}", size=20, over=-1)
    moments[0].box(left, forth, box, box, empty=True)
    moments[0].symbol(left, forth + 4, "h_0", size=20, over=1)
    moments[0].box(right, back, box, box, empty=True, colour=SECOND)
    moments[0].symbol(right, back + 4, f"h_{T + 1}", size=20, over=-1)
    return moments, (right + 24, low + 30)


def _description(T: int) -> str:
    return (
        f"Two rows of states, side by side rather than stacked: neither reads the other. The "
        f"forward row starts from h_0 at the left and passes its state to the right; the backward "
        f"row starts from its own h_{T + 1} at the right and passes its state to the left. "
        f"Every input {series('x', T)} enters both rows. At each step the two states are joined, "
        f"and the joined pair leads to the output y_t above."
    )


def bidirectional(steps: int = 4) -> Drawing:
    """Draw two recurrent directions side by side, joined at every step.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 5.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = count("steps", steps, MAX_STEPS)
    moments, size = _parts(T)
    pen = Pen()
    pen.parts = [part for moment in moments for part in moment.parts]
    title = f"A bidirectional network, unfolded over {T} step{'s' * (T > 1)}"
    caption = (
        "Blue: forwards in time. Violet: backwards. The double box joins the two states of one "
        "step."
    )
    return pen.drawing(*size, title, _description(T), caption=caption)


def two_readers(steps: int = 4) -> Drawing:
    """Draw the same with a slider: one reader starts at either end, and both go step by step.

    An output appears once both have been at its step. Without scripts all of it is shown.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 5.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = count("steps", steps, MAX_STEPS)
    moments, size = _parts(T)
    parts = [*moments[0].parts]
    for moment, pen in enumerate(moments[1:], 1):
        pen.add("g", "".join(pen.parts), data_at=moment)
        parts.append(pen.parts[-1])
    captions = [_caption(moment, T) for moment in range(T + 1)]
    return live(
        f"Two readers of {T} step{'s' * (T > 1)}, one from either end",
        _description(T),
        "".join(parts),
        size,
        [Slider("step", "step", range(T + 1), 0, buttons=True)],
        captions,
        "stepper",
        captions[-1],
    )


def _caption(moment: int, T: int) -> str:
    if moment == 0:
        return "Neither has read anything. Which output will come first, and after how many steps?"
    text = f"The forward reader reads |x_{moment}|, and the backward reader |x_{T + 1 - moment}|. "
    met = sorted({t for t in range(1, T + 1) if max(t, T + 1 - t) == moment})
    if met:
        outputs = listed([f"|y_{t}|" for t in met])
        text += f"At {outputs} both have been: there the two states are joined."
    else:
        text += "No step has both its states yet, so there is no output."
    return typeset(text)
