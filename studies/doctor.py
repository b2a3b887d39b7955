"""What does the doctor say of networks that are known to be wired wrong, or right?

Each mistake of ``rnnlib.doctor.cases``, each repair and each healthy network is examined with 20
seeds, which take 8, 16 and 32 hidden units in turn. A seed draws the weights and the example.
``named`` counts the examinations in which the check that must see the mistake says so, ``clear``
those in which no check finds anything wrong, and ``noted`` those in which something is noted,
other than a short horizon, two directions, or a loss before training. A healthy network has no
check that must see it.
"""

import torch

from rnnlib.doctor import Report, examine
from rnnlib.doctor.cases import CASES, HEALTHY, Case, Healthy

SETTINGS = [
    {"form": form, "name": case.name} for case in CASES for form in ("faulty", "repaired")
] + [{"form": "healthy", "name": case.name} for case in HEALTHY]

SIZES = (8, 16, 32)
SEEDS = range(20)


def run(form: str, name: str) -> dict[str, int]:
    """Examine one network, with every seed."""
    (case,) = (case for case in (*CASES, *HEALTHY) if case.name == name)
    tried = [(SIZES[seed % len(SIZES)], seed) for seed in SEEDS]
    reports = [examined(case, form, H, seed) for H, seed in tried]
    check, verdict = getattr(case, "check", None), getattr(case, "verdict", None)
    allowed = {"horizon", *getattr(case, "notes", ("causality", "floor"))}
    return {
        "runs": len(reports),
        "named": sum(check in said(report, verdict) for report in reports),
        "clear": sum(report.healthy for report in reports),
        "noted": sum(bool(set(report.notes) - allowed) for report in reports),
    }


def examined(case: Case | Healthy, form: str, hidden_size: int, seed: int) -> Report:
    """Make a network and an example, and examine them."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    if form == "healthy":
        model, told = case.model(hidden_size), case.told(generator)
    else:
        make = case.sick_form if form == "faulty" else case.sound_form
        model, told = make(hidden_size, generator)
    return examine(model, **told)


def said(report: Report, verdict: str | None) -> list[str]:
    """Return the names of the checks that came to a verdict."""
    return [finding.check for finding in report.findings if finding.verdict == verdict]
