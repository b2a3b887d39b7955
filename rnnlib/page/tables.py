"""Tables of a page: of numbers, and of how a chapter knows what it says."""

from collections.abc import Sequence

QUESTIONS = ("what we say", "changed alone", "held fixed", "tried", "would have refuted it")


class Table:
    """Rows under a header, shown as a table by a notebook and as text by ``print``.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences
        Numbers and words; each row as long as the header. A number is shown as Python prints it,
        so format it first where that shows more digits than come again.

    Raises
    ------
    ValueError
        For a row of another length.
    """

    def __init__(self, header: Sequence[str], rows: Sequence[Sequence]):
        self.header = [str(cell) for cell in header]
        self.rows = [[str(cell) for cell in row] for row in rows]
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"rows: expected {len(self.header)} entries, as the header has, got {row}"
                )

    def _repr_markdown_(self) -> str:
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        return "\n".join(
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
        )

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in (self.header, *self.rows)
        )


def how_we_know(*rows: Sequence) -> Table:
    """Show a chapter's claims, each with the run that could have refuted it.

    Parameters
    ----------
    *rows : sequences of five str
        What the summary says; what alone was changed to see it; what was held fixed; seeds, budget
        and settings tried, with the numbers found; what would have refuted it.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        For a row that leaves one of the five out.
    """
    for row in rows:
        if len(row) != len(QUESTIONS) or not all(str(cell).strip() for cell in row):
            raise ValueError(f"rows: expected {', '.join(QUESTIONS)}, got {row}")
    return Table(QUESTIONS, rows)
