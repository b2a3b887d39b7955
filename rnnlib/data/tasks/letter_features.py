"""Predict the next letter as features, where each consonant brings its own vowels."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample

_TABLE = {
    "b": (1, 0, 1, 0, 0, 1),
    "d": (1, 0, 1, 1, 0, 1),
    "g": (1, 0, 1, 0, 1, 1),
    "a": (0, 1, 0, 0, 1, 1),
    "i": (0, 1, 0, 1, 0, 1),
    "u": (0, 1, 0, 1, 1, 1),
}


@dataclass(frozen=True, kw_only=True)
class LetterFeatures:
    """Predict the next letter of a stream of ``ba``, ``dii`` and ``guuu``, as six features.

    The three syllables follow one another at random, all as likely. So it is known after each
    letter whether a consonant or a vowel comes next, and which vowel, but not which consonant. A
    letter is shown and asked for as six bits. The loss is the mean squared error.

    Parameters
    ----------
    num_steps : int
        T.

    Attributes
    ----------
    features : tuple of str
        What the D = 6 bits say.
    syllables : tuple of str

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 1.

    Notes
    -----
    The second simulation of Elman [1]_, with the bits of its Table 1.

    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990), 179-211.
    """

    num_steps: int

    features = ("Consonant", "Vowel", "Interrupted", "High", "Back", "Voiced")
    syllables = ("ba", "dii", "guuu")

    def __post_init__(self):
        check_integer("num_steps", self.num_steps, least=1)

    @property
    def chance(self) -> float:
        """Mean squared error of the best constant answer: the bits' mean variance."""
        letters = self.encode("".join(self.syllables))
        return letters.var(dim=0, unbiased=False).mean().item()

    @property
    def floor(self) -> float:
        """Mean squared error of the best answer that knows the stream so far, in the long run.

        Only a consonant, one letter in three, is uncertain, and of it only what tells b, d and g
        apart.
        """
        variance = self.encode("bdg").var(dim=0, unbiased=False)
        return variance.mean().item() * 3 / len("".join(self.syllables))

    def encode(self, text: str) -> Tensor:
        """Return the features of a text's letters, (T, 6).

        Raises
        ------
        ValueError
            For a letter that is none of b, d, g, a, i, u.
        """
        if unknown := [letter for letter in text if letter not in _TABLE]:
            raise ValueError(f"text: expected letters of {', '.join(_TABLE)}, got {unknown[0]!r}")
        rows = [_TABLE[letter] for letter in text]
        return torch.tensor(rows, dtype=torch.get_default_dtype(), device="cpu").reshape(-1, 6)

    def texts(self, number: int, generator: torch.Generator | None = None) -> list[str]:
        """Draw texts of T + 1 letters, each from the beginning of a syllable.

        Raises
        ------
        TypeError, ValueError
            For a number that is no positive integer, or an unsuitable generator.
        """
        check_sample(number, generator)
        most = self.num_steps // 2 + 1
        drawn = torch.randint(3, (number, most), generator=generator, device="cpu").tolist()
        texts = ("".join(self.syllables[i] for i in row) for row in drawn)
        return [text[: self.num_steps + 1] for text in texts]

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x, y : Tensor, (N, T, 6)
            y_t is x_{t+1}.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        letters = torch.stack([self.encode(text) for text in self.texts(batch_size, generator)])
        return letters[:, :-1], letters[:, 1:]
