"""Recordings that a page plays."""

from collections.abc import Sequence
from html import escape


class Sound:
    """A recording that a notebook and the book play, called by name by a screen reader.

    Parameters
    ----------
    wave : sequence of float, Tensor or array, (n,)
        Played at full scale, whatever its largest number.
    rate : int
        How many of its numbers a second has.
    name : str
        What it is, in a few words.
    """

    def __init__(self, wave: Sequence[float], rate: int, name: str):
        self.wave, self.rate, self.name = wave, rate, name

    def _repr_html_(self) -> str:
        from IPython.display import Audio

        html = Audio([float(v) for v in self.wave], rate=self.rate)._repr_html_()
        return html.replace("<audio", f'<audio aria-label="{escape(self.name)}"')

    def __repr__(self) -> str:
        return f"a recording: {self.name}"
