"""Several layers above each other."""

from collections.abc import Iterable

from rnnlib.page.arguments import count
from rnnlib.page.colours import INPUT, LAST, OUTPUT, STATE
from rnnlib.page.diagrams.letters import series
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, Drawing


def stacked(
    layers: int = 2, steps: int = 3, *, highlight: str | Iterable[str] | None = ("output", "h_n")
) -> Drawing:
    """Draw a stack of recurrent layers, and which states `output` and `h_n` hold.

    Parameters
    ----------
    layers : int, default 2
        Between 1 and 4.
    steps : int, default 3
        T, between 1 and 5.
    highlight : {"output", "h_n"}, several of them, or None
        What is framed. ``output`` is the top layer at all steps, ``h_n`` all layers at the last.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        For numbers outside these ranges and other names in `highlight`.
    """
    L = count("layers", layers, 4)
    T = count("steps", steps, 5)
    names = () if highlight is None else (highlight,) if isinstance(highlight, str) else highlight
    marked = set(names)
    if not marked <= {"output", "h_n"}:
        raise ValueError(f"highlight: expected output and h_n, got {sorted(map(str, marked))}")
    pen = Pen()
    pitch, rise, left, top = (108 if T < 4 else 94), 106, 30, 80
    bottom = top + rise * (L - 1) + 104
    high = {layer: top + rise * (L - layer) for layer in range(1, L + 1)}
    columns = {0: left} | {t: left + 20 + pitch * t for t in range(1, T + 1)}
    for layer in range(1, L + 1):
        y = high[layer]
        pen.box(left, y, 50, 50, empty=True)
        pen.symbol(left, y, f"h_0^{{({layer})}}", size=21)
        for t in range(1, T + 1):
            x = columns[t]
            start = columns[t - 1] + (26 if t == 1 else 28)
            pen.arrow((start, y), (x - 28, y), colour=STATE)
            pen.arrow((x, bottom - 23 if layer == 1 else high[layer - 1] - 28), (x, y + 28))
            pen.box(x, y, 54, 54)
            pen.symbol(x, y, f"h_{t}^{{({layer})}}", size=21)
            if t == 1:
                pen.symbol(start + 21, y - 21, f"W_hh^{{({layer})}}", size=18, colour=STATE)
                at = (y + 28 + (bottom - 23 if layer == 1 else high[layer - 1] - 28)) / 2
                pen.symbol(x - 10, at + 9, f"W_xh^{{({layer})}}", size=18, anchor="end")
    for t in range(1, T + 1):
        pen.circle(columns[t], bottom, colour=INPUT)
        pen.symbol(columns[t], bottom, f"x_{t}")
    right = columns[T] + 42
    if "output" in marked:
        pen.frame(columns[1] - 44, top - 37, right - 5, top + 37, OUTPUT)
        pen.words(columns[1] - 30, top - 58, "output", size=19, anchor="start", family=MONO)
    if "h_n" in marked:
        pen.frame(columns[T] - 43, top - 43, right + 1, high[1] + 43, LAST, dashed=True)
        pen.words(right + 10, high[1], "h_n", size=19, anchor="start", family=MONO)
    title = f"{L} recurrent layer{'s' * (L > 1)}, unfolded over {T} step{'s' * (T > 1)}"
    description = (
        f"The inputs {series('x', T)} enter layer 1 from below. "
        + "".join(
            f"Layer {layer} reads the state of layer {layer - 1} at the same step. "
            for layer in range(2, L + 1)
        )
        + "Within each layer, arrows W_hh lead from one step to the next, from a given state h_0 "
        "of its own at the left. Each layer has its own W_xh, W_hh and bias b_h. "
        + "A frame named output holds the top layer at all steps. " * ("output" in marked)
        + "A dashed frame named h_n holds all layers at the last step. " * ("h_n" in marked)
        + "The two frames share the last state of the top layer." * (len(marked) == 2)
    ).strip()
    caption = (
        "Layer |l| has its own |W_xh^{(l)}|, |W_hh^{(l)}| and bias |b_h^{(l)}|, the same at every "
        "step."
    )
    if L > 1:
        caption += " Above layer 1, the input is the state of the layer below."
    width = right + (52 if "h_n" in marked else 8)
    return pen.drawing(width, bottom + 32, title, description, caption=caption)
