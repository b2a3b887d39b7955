"""A report's forms."""

import pytest
import torch
from torch import nn

from rnnlib.doctor import Finding, Report, examine


def finding(check, verdict, evidence=None, unit="", meaning="It is so.", cure=""):
    return Finding(check, verdict, evidence, unit, meaning, cure, 3, "the rest")


REPORT = Report(
    [
        finding("data", "sound", 1.0, "thing"),
        finding("mixing", "sick", 0.1234, "of a | whole", cure="Turn it round."),
        finding("horizon", "note", 4.0, "steps"),
        finding("padding", "could not tell"),
    ]
)


def test_it_can_be_asked():
    assert REPORT.sick == ["mixing"] and REPORT.notes == ["horizon"] and not REPORT.healthy
    assert REPORT["horizon"].measured == "4 steps"
    assert Report([finding("data", "sound"), finding("x", "could not tell")]).healthy
    with pytest.raises(KeyError, match="expected one of data, mixing, horizon, padding"):
        REPORT["colour"]


def test_it_prints_what_is_wrong_first():
    assert repr(REPORT) == (
        "4 checks: 1 sick, 1 note, 1 could not tell, 1 sound\n"
        "sick            mixing: 0.12 of a | whole\n"
        "    It is so.\n"
        "    Cure: Turn it round.\n"
        "    Chapter 3. Cannot see: the rest\n"
        "note            horizon: 4 steps\n"
        "    It is so.\n"
        "    Chapter 3. Cannot see: the rest\n"
        "could not tell  padding: It is so.\n"
        "sound           data"
    )
    assert str(REPORT) == repr(REPORT)


def test_it_is_a_list_in_a_notebook():
    assert REPORT._repr_markdown_().splitlines() == [
        "**4 checks: 1 sick, 1 note, 1 could not tell, 1 sound**",
        "",
        "- **mixing**, sick (chapter 3)",
        "",
        "  It is so. (0.12 of a | whole)",
        "",
        "  *Cure:* Turn it round.",
        "",
        "- **horizon**, note (chapter 3)",
        "",
        "  It is so. (4 steps)",
        "",
        "- **padding**, could not tell (chapter 3)",
        "",
        "  It is so.",
        "",
        "Sound: data.",
    ]


def test_lines_fit_a_page():
    report = examine(nn.RNN(3, 8), torch.randn(5, 7, 3), batch_first=True)
    assert max(map(len, str(report).splitlines())) <= 76
    for found in report.findings:
        assert found.meaning.endswith(".") and found.blind and 1 <= found.chapter <= 17
