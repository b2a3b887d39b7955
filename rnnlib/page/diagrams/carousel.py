"""How an LSTM comes about: a sum, and one gate at a time."""

from rnnlib.page.colours import INPUT, OUTPUT, STATE
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing

STAGES = ("a sum", "what comes in", "what stays", "what is shown")
WIDTH, HEIGHT = 228, 186


def one_gate_at_a_time() -> Drawing:
    """Draw the LSTM's memory in four stages: the bare sum, then a gate more in each.

    Returns
    -------
    Drawing
    """
    pen = Pen()
    for stage in range(len(STAGES)):
        _stage(pen, stage % 2 * WIDTH, stage // 2 * HEIGHT, stage)
    title = "One gate at a time"
    description = (
        "Four drawings of one step from c_{t-1} to c_t. First, the candidate g_t is added. Second, "
        "the input gate i_t multiplies the candidate before it is added. Third, the forget gate "
        "f_t multiplies c_{t-1} before the sum. Fourth, c_t goes through tanh and is multiplied "
        "by the output gate o_t, which gives h_t."
    )
    caption = (
        "The sum |c_{t-1} + g_t|; with the input gate |i_t|; with the forget gate |f_t| too; and "
        "with the output gate |o_t|, through which |c_t| is shown as |h_t|."
    )
    return pen.drawing(2 * WIDTH, 2 * HEIGHT, title, description, caption=caption)


def _stage(pen: Pen, x: float, y: float, stage: int) -> None:
    """Draw one stage with its upper left corner at (x, y)."""
    line, product, below = y + 52, y + 100, y + 154
    start, forget, add, end = x + 24, x + 72, x + 120, x + 192
    pen.words(x + 6, y + 14, f"{stage + 1}. {STAGES[stage]}", size=14, anchor="start")

    def operation(at_x, at_y, sign):
        pen.circle(at_x, at_y, 12)
        pen.words(at_x, at_y, sign, size=17)

    def gate(letter, at_x, at_y):
        pen.box(at_x, at_y, 32, 28, colour=INPUT if letter == "g" else OUTPUT)
        pen.symbol(at_x, at_y, f"{letter}_t", size=18)

    for at_x, symbol, given in ((start, "c_{t-1}", True), (end, "c_t", False)):
        pen.box(at_x, line, 40, 40, empty=given)
        pen.symbol(at_x, line, symbol, size=17)
    operation(add, line, "+")
    pen.arrow((add + 12, line), (end - 20, line), colour=STATE)
    gate("g", add, below)
    if stage == 0:
        pen.arrow((add, below - 14), (add, line + 12))
    else:
        operation(add, product, "×")
        pen.arrow((add, below - 14), (add, product + 12))
        pen.arrow((add, product - 12), (add, line + 12))
        gate("i", x + 68, below)
        tip = add - 12
        pen.arrow(
            (tip - 12, product), (tip, product), curve=f"M{x + 84} {below}h8V{product}H{tip - 10}"
        )
    if stage < 2:
        pen.arrow((start + 20, line), (add - 12, line), colour=STATE)
    else:
        operation(forget, line, "×")
        pen.arrow((start + 20, line), (forget - 12, line), colour=STATE)
        pen.arrow((forget + 12, line), (add - 12, line), colour=STATE)
        gate("f", start, product)
        tip = line + 12
        pen.arrow(
            (forget, tip + 12), (forget, tip), curve=f"M{start + 16} {product}H{forget}V{tip + 10}"
        )
    if stage == 3:
        operation(end, product, "×")
        pen.arrow((end, line + 20), (end, product - 12))
        pen.words(end - 8, line + 28, "tanh", size=12, anchor="end")
        gate("o", x + 156, below)
        tip = end - 12
        pen.arrow(
            (tip - 12, product),
            (tip, product),
            curve=f"M{x + 156} {below - 14}V{product}H{tip - 10}",
        )
        pen.box(end, below, 32, 32)
        pen.symbol(end, below, "h_t", size=18)
        pen.arrow((end, product + 12), (end, below - 16), colour=STATE)
