"""The parallel scan: rounds in which every step takes in the steps before it."""

from rnnlib.page.arguments import count
from rnnlib.page.colours import STATE
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing


def scan(steps: int = 8) -> Drawing:
    """Draw the rounds of the scan of Hillis and Steele, from the pairs up to the states.

    Parameters
    ----------
    steps : int, default 8
        T, between 2 and 8.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        For another number.
    """
    T = count("steps", steps, 8)
    if T < 2:
        raise ValueError(f"steps: expected between 2 and 8, got {T}")
    rounds = (T - 1).bit_length()
    pitch, rise, left, top = 58, 88, 92, 30
    high = {number: top + rise * (rounds - number) for number in range(rounds + 1)}
    column = {t: left + pitch * (t - 1) for t in range(1, T + 1)}
    pen, told = Pen(), []
    for number in range(rounds + 1):
        y, reach = high[number], 2 ** (number - 1) if number else 0
        pen.words(left - 32, y, f"round {number}" if number else "pairs", size=15, anchor="end")
        for t in range(1, T + 1):
            first = max(1, t - 2**number + 1)
            x, label = column[t], f"{first}–{t}" if first < t else f"{t}"
            pen.box(x, y, 46, 34, empty=first > 1)
            pen.words(x, y, label, size=15)
            if number:
                below = high[number - 1] - 17
                pen.arrow((x, below), (x, y + 17))
                if t > reach:
                    pen.arrow((column[t - reach], below), (x - 12, y + 17), colour=STATE)
        if number:
            told.append(f"in round {number} each step takes in the step {reach} to its left")
    return pen.drawing(
        column[T] + 32,
        high[0] + 28,
        f"A scan over {T} steps in {rounds} round{'s' * (rounds > 1)}",
        f"Below, the pairs of steps 1 to {T}. Above them {rounds} rows: {'; '.join(told)}, where "
        "there is one. Each box says which steps its pair stands for. Boxes that reach back to "
        "step 1 are filled, the others dashed. In the last row all are filled.",
        caption="Each box is a pair and says which steps it stands for. A blue arrow takes in the "
        "steps before. Filled: from step 1 on, so its |b| is the state |h_t|.",
    )
