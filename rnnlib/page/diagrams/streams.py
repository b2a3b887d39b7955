"""A text cut into parallel streams and windows."""

from rnnlib.page.arguments import count
from rnnlib.page.colours import INPUT, STATE
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, Drawing


def streams(text: str, batch_size: int, num_steps: int) -> Drawing:
    """Draw how a text is cut into streams and windows, and where the state is handed on.

    Parameters
    ----------
    text : str
        Cut as `rnnlib.TextStream` cuts it: its last character is a target only. Spaces are
        shown as ␣.
    batch_size : int
        N, the number of streams, at most 4.
    num_steps : int
        T, the length of a window, at most 8. A stream has room for 24 characters.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If text or sizes are not of this kind.
    """
    N, T = count("batch_size", batch_size, 4), count("num_steps", num_steps, 8)
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    L = -(-(len(text) - 1) // N)
    if not N < len(text) or L > 24:
        raise ValueError(f"text: expected {N + 1} to {24 * N + 1} characters, got {len(text)}")
    read = text[:-1].replace(" ", "␣")
    rows = [read[n * L : (n + 1) * L] for n in range(N)]
    letter, gap, pitch, left, top = 11, 34, 58, 84, 70
    pen, starts = Pen(), range(0, L, T)

    def edge(t):
        return left + t * letter + t // T * (gap + 14)

    for n, row in enumerate(rows):
        y = top + n * pitch
        pen.words(left - 14, y, f"stream {n + 1}", size=14, anchor="end")
        for t in starts:
            if piece := row[t : t + T]:
                width = len(piece) * letter + 14
                pen.box(edge(t) + width / 2, y, width, 36, colour=INPUT)
                pen.words(edge(t) + width / 2, y, piece, size=17, family=MONO)
                if t + T < len(row):
                    pen.arrow((edge(t) + width, y), (edge(t + T), y), colour=STATE)
    for number, t in enumerate(starts, 1):
        middle = edge(t) + (min(T, L - t) * letter + 14) / 2
        pen.words(middle, 26, f"batch {number}", size=14)
    right = edge(starts[-1]) + max(min(T, L - starts[-1]) * letter + 14, 40) + 16
    cut = "; ".join(
        f"stream {n} reads {', '.join(row[t : t + T] for t in range(0, len(row), T))}"
        for n, row in enumerate(rows, 1)
    )
    return pen.drawing(
        right,
        top + (N - 1) * pitch + 30,
        "A text in streams and windows",
        f"The text in {N} rows, each cut into windows: {cut}. One column is one batch. Arrows lead "
        "from each window to the next of the same row.",
        caption="Rows are streams, columns are batches. Arrows: the state is handed on, without "
        "its graph. Nothing passes between the rows.",
    )
