"""The unfolded network with a slider: one step of the time loop after another."""

from collections.abc import Iterable
from html import escape

import numpy as np

from rnnlib.page.arguments import count
from rnnlib.page.colours import INPUT, OUTPUT, STATE
from rnnlib.page.diagrams.letters import typeset
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.diagrams.unfolding import MAX_STEPS, pitch_of
from rnnlib.page.drawing import MONO, Drawing
from rnnlib.page.live.figure import Slider, live


def _words(name: str, value: Iterable[str] | None, steps: int) -> list[str] | None:
    if value is None:
        return None
    words = list(value)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{name}: expected strings, got {type(word).__name__}")
        if not 1 <= len(word) <= 4:
            raise ValueError(f"{name}: expected 1 to 4 characters for each step, got {word!r}")
    if len(words) != steps:
        raise ValueError(f"{name}: expected one for each of {steps} steps, got {len(words)}")
    return words


def _numbers(name: str, value, steps: int) -> np.ndarray | None:
    """Turn numbers, an array or a tensor into (T, k) with k at most 3."""
    if value is None:
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        numbers = np.array([np.asarray(row, dtype=float) for row in value], dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected a number, or up to three, for each step, got {value!r}"
        ) from error
    if numbers.ndim == 1:
        numbers = numbers[:, None]
    if numbers.ndim != 2 or len(numbers) != steps or not 1 <= numbers.shape[1] <= 3:
        raise ValueError(
            f"{name}: expected shape ({steps},) or ({steps}, k) with k at most 3, "
            f"got {tuple(np.shape(value))}"
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers, got {numbers.tolist()}")
    return numbers


def _caption(t: int, T: int, labels, values, outputs) -> str:
    reads = f"|x_{t}|" + (f" (“{escape(labels[t - 1])}”)" if labels else "")
    text = (
        f"Step {t} of {T}: |h_{t} = f(x_{t} W_xh + h_{t - 1} W_hh + b_h)| reads {reads} "
        f"and the state |h_{t - 1}|"
    )
    text += ", which is given." if t == 1 else ". The weights are those of step 1."
    if values is not None:
        numbers = ", ".join(_decimal(value) for value in values[t - 1])
        text += f" Now |h_{t}| is {numbers if values.shape[1] == 1 else f'({numbers})'}."
    if outputs:
        text += f" The answer |y_{t}| is “{escape(outputs[t - 1])}”."
    return typeset(text)


def _decimal(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def step_through(
    steps: int = 5,
    labels: Iterable[str] | None = None,
    values=None,
    *,
    outputs: Iterable[str] | None = None,
) -> Drawing:
    """Draw the unfolded network with a slider that steps through time.

    What is still to come is hidden, so that it can be foretold; the current step stands out, and
    a line below says what it computes. Without scripts all steps are shown.

    Parameters
    ----------
    steps : int, default 5
        T, between 1 and 6.
    labels : sequence of str, length T, optional
        What is read at each step, such as the letters of a word.
    values : sequence, array or tensor, (T,) or (T, k), optional
        Up to three numbers of h_t for each step, shown with two decimals.
    outputs : sequence of str, length T, optional
        What is answered at each step.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range, or another argument has not one entry a step.
    """
    T = count("steps", steps, MAX_STEPS)
    labels = _words("labels", labels, T)
    outputs = _words("outputs", outputs, T)
    values = _numbers("values", values, T)
    rows = 0 if values is None else values.shape[1]
    image = Pen()
    pitch, left = pitch_of(T), 28
    # With numbers in them the boxes grow upwards and downwards alike.
    half = 26 if not rows else 24 + 10 * rows
    top = 34
    middle = top + 68 + half
    low = middle + half + 68
    image.box(left, middle, 46, 46, empty=True)
    image.symbol(left, middle, "h_0")
    for t in range(1, T + 1):
        x = left + pitch * t
        start = x - pitch + (24 if t == 1 else 28)
        pen = Pen()
        pen.arrow((x, low - 23), (x, middle + half + 2))
        pen.arrow((x, middle - half - 1), (x, top + 24))
        pen.arrow((start, middle), (x - 28, middle), colour=STATE)
        pen.box(x, middle, 54, 2 * half)
        # The inputs lie there from the beginning.
        for own, y, aside, symbol, words, colour in (
            (pen, top, -18, f"y_{t}", outputs, OUTPUT),
            (image, low, 20, f"x_{t}", labels, INPUT),
        ):
            own.circle(x, y, colour=colour)
            if words is None:
                own.symbol(x, y, symbol)
            else:
                word = words[t - 1].replace(" ", "␣")
                own.words(x, y, word, size=22 if len(word) < 3 else 15, family=MONO)
                own.symbol(x + 24, y + aside, symbol, size=17, anchor="start")
        pen.symbol(x, middle - 10 * rows, f"h_{t}")
        for row in range(rows):
            pen.words(x, middle - 10 * rows + 22 + 20 * row, _decimal(values[t - 1, row]), size=17)
        pen.symbol(x + 8, (low - 23 + middle + half) / 2, "W_xh", size=18, anchor="start")
        pen.symbol(x + 8, (top + 23 + middle - half) / 2, "W_hy", size=18, anchor="start")
        pen.symbol(
            (start + x - 28) / 2 - 1, middle - 17, "W_hh", size=18 if T < 5 else 16, colour=STATE
        )
        image.add("g", "".join(pen.parts), data_at=t)
    title = f"A recurrent network reading {T} step{'s' * (T > 1)}, one at a time"
    description = (
        "The unfolded network. At each step t the input x_t, below, and the state before it enter "
        "h_t in the middle, which leads to the output y_t above; the arrows W_xh, W_hh and W_hy "
        "are the same at every step."
    )
    if labels:
        description += f" The inputs read: {', '.join(labels)}."
    if outputs:
        description += f" The outputs: {', '.join(outputs)}."
    if values is not None:
        shown = "; ".join(
            f"h_{t} {', '.join(_decimal(v) for v in row)}" for t, row in enumerate(values, 1)
        )
        description += f" The states: {shown}."
    captions = [typeset("Nothing has been read. What will go into |h_1|?")]
    captions += [_caption(t, T, labels, values, outputs) for t in range(1, T + 1)]
    return live(
        title,
        description,
        "".join(image.parts),
        (left + pitch * T + 48, low + 34),
        [Slider("step", "step", range(T + 1), 0, buttons=True)],
        captions,
        "stepper",
        captions[-1],
    )
