"""What the doctor says: findings, and the report that holds them."""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

VERDICTS = ("sick", "note", "could not tell", "sound")
"""In the order of a report: what is wrong comes first."""


@dataclass(frozen=True)
class Outcome:
    """What a check saw: verdict, a number with its unit, one sentence, and the cure."""

    verdict: str
    evidence: float | None
    unit: str
    meaning: str
    cure: str = ""


def sick(evidence: float | None, unit: str, meaning: str, cure: str) -> Outcome:
    """Say that something is wrong."""
    return Outcome("sick", evidence, unit, meaning, cure)


def note(evidence: float | None, unit: str, meaning: str, cure: str = "") -> Outcome:
    """Say what need not be wrong, but should be known."""
    return Outcome("note", evidence, unit, meaning, cure)


def sound(evidence: float | None, unit: str, meaning: str) -> Outcome:
    """Say that nothing was found."""
    return Outcome("sound", evidence, unit, meaning)


def untold(meaning: str, cure: str = "") -> Outcome:
    """Say that the question could not be settled, and what would settle it."""
    return Outcome("could not tell", None, "", meaning, cure)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : str
        The check's name.
    verdict : {"sound", "sick", "note", "could not tell"}
    evidence : float or None
        What was measured. Many checks change something and measure how far the answer moves, in
        units of its range: how far it moves when the whole input is replaced.
    unit : str
        What the evidence counts, or is measured in.
    meaning : str
        What it means, in a sentence.
    cure : str
        What to do; empty where there is nothing to do.
    chapter : int
        The chapter to read.
    blind : str
        What the check cannot see.
    """

    check: str
    verdict: str
    evidence: float | None
    unit: str
    meaning: str
    cure: str
    chapter: int
    blind: str

    @property
    def measured(self) -> str:
        """The evidence with its unit, two digits of it."""
        if self.evidence is None:
            return ""
        whole = float(self.evidence).is_integer() and abs(self.evidence) < 1e6
        return f"{int(self.evidence) if whole else f'{self.evidence:.2g}'} {self.unit}".strip()

    def __str__(self) -> str:
        head = f"{self.verdict:<15} {self.check}: {self.measured}".rstrip(": ")
        lines = textwrap.wrap(head, 76, subsequent_indent=" " * 16)
        for text in (self.meaning, self.cure and f"Cure: {self.cure}"):
            lines += textwrap.wrap(text, 76, initial_indent=" " * 4, subsequent_indent=" " * 4)
        lines.append(f"    Chapter {self.chapter}. Cannot see: {self.blind}")
        return "\n".join(lines[:-1] + textwrap.wrap(lines[-1], 76, subsequent_indent=" " * 4))


@dataclass(frozen=True)
class Check:
    """A question about behaviour: its name, where it is taught, what it cannot see, its answer."""

    name: str
    question: str
    chapter: int
    blind: str
    answer: Callable

    def finding(self, outcome: Outcome) -> Finding:
        """Make a finding of an outcome."""
        o = outcome
        return Finding(
            self.name, o.verdict, o.evidence, o.unit, o.meaning, o.cure, self.chapter, self.blind
        )


def check(name: str, *, question: str, chapter: int, blind: str) -> Callable[[Callable], Check]:
    """Make a check of a function from a `Subject` to an `Outcome`, or to None: not concerned."""
    return lambda answer: Check(name, question, chapter, blind, answer)


class Report:
    """What `examine` found, shown as a list by a notebook and as text by ``print``.

    Attributes
    ----------
    findings : list of Finding
        In the order in which one would look: data, shapes, gradient, time, scale, padding,
        evaluation.
    """

    def __init__(self, findings: list[Finding]):
        self.findings = list(findings)

    @property
    def sick(self) -> list[str]:
        """The names of the checks that found something wrong."""
        return self._named("sick")

    @property
    def notes(self) -> list[str]:
        """The names of the checks that found something to know."""
        return self._named("note")

    @property
    def healthy(self) -> bool:
        """Whether no check found anything wrong; what could not be told is not counted."""
        return not self.sick

    def __getitem__(self, check: str) -> Finding:
        for finding in self.findings:
            if finding.check == check:
                return finding
        raise KeyError(f"{check!r}: expected one of {', '.join(f.check for f in self.findings)}")

    def _named(self, verdict: str) -> list[str]:
        return [finding.check for finding in self.findings if finding.verdict == verdict]

    @property
    def _counts(self) -> str:
        return ", ".join(f"{len(self._named(v))} {v}" for v in VERDICTS if self._named(v))

    def __repr__(self) -> str:
        parts = [f"{len(self.findings)} checks: {self._counts}"]
        for verdict in ("sick", "note"):
            parts += [str(f) for f in self.findings if f.verdict == verdict]
        for f in self.findings:
            if f.verdict == "could not tell":
                line = f"{f.verdict:<15} {f.check}: {f.meaning}"
                parts.append(textwrap.fill(line, 76, subsequent_indent=" " * 16))
        if self._named("sound"):
            line = f"{'sound':<15} {', '.join(self._named('sound'))}"
            parts.append(textwrap.fill(line, 76, subsequent_indent=" " * 16))
        return "\n".join(parts)

    def _repr_markdown_(self) -> str:
        # A list, not a table: on a phone a table of three columns leaves each a few words' width.
        lines = [f"**{len(self.findings)} checks: {self._counts}**", ""]
        for verdict in VERDICTS[:-1]:
            for f in self.findings:
                if f.verdict == verdict:
                    found = f"{f.meaning} ({f.measured})" if f.measured else f.meaning
                    lines += [f"- **{f.check}**, {verdict} (chapter {f.chapter})", ""]
                    lines += [f"  {_escaped(found)}", ""]
                    lines += [f"  *Cure:* {_escaped(f.cure)}", ""] * bool(f.cure)
        if self._named("sound"):
            lines.append(f"Sound: {', '.join(self._named('sound'))}.")
        return "\n".join(lines)


def _escaped(text: str) -> str:
    """Keep Markdown from taking code for its own signs: __init__ would be bold."""
    return re.sub(r"([_*])", r"\\\1", text.replace("\n", " "))
