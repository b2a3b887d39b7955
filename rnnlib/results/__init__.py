"""Measured results that pages quote, kept in the package: a chapter runs wherever it is installed.

``read("benchmarks")`` is what `make bench` has measured; benchmarks/README.md says how to read it.
Other results are of studies, a row for each run: ``values`` has what the seeds of one setting
measured, ``rows`` the rows themselves.
"""

import json
from importlib import resources


def read(name: str) -> dict:
    """Read a result, which is a JSON file in this folder.

    Parameters
    ----------
    name : str
        Such as "benchmarks".

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If there is no result of this name.
    """
    return _read("name", name)


def rows(study: str, /, **setting) -> list[dict]:
    """Return the rows of a study whose setting includes these.

    Parameters
    ----------
    study : str
        Such as "carrying".
    **setting
        What the rows have in common, such as ``layer="GRU"``; None stands for what only other rows
        of the study set.

    Returns
    -------
    list of dict
        Each with its "setting", a dict, and what was measured, by name.

    Raises
    ------
    ValueError
        If there is no such study, no such key in its settings, or no such row.
    """
    found = _read("study", study).get("rows")
    if found is None:
        raise ValueError(f"study: expected a result with a row for each run, got {study!r}")
    keys = {key for row in found for key in row["setting"]}
    for key in setting:
        if key not in keys:
            raise ValueError(f"setting: expected some of {_listed(keys)}, got {key}")
    chosen = [row for row in found if all(row["setting"].get(k) == setting[k] for k in setting)]
    if not chosen:
        there = _differing(found, setting)
        raise ValueError(f"setting: no run of {study!r} has {setting}; there are {there}")
    return chosen


def values(study: str, name: str, place: int | None = None, /, **setting) -> list:
    """Return what the runs of one setting measured, in the order of their seeds.

    Parameters
    ----------
    study : str
        Such as "carrying".
    name : str
        What was measured, such as "loss".
    place : int, optional
        Which entry, where each run measured a list.
    **setting
        As for ``rows``; enough of it that the runs differ in nothing but their seeds.

    Returns
    -------
    list
        One number for each run, or one list of numbers.

    Raises
    ------
    ValueError
        For what ``rows`` refuses, a name that was not measured, a place that is not there, and runs
        that differ in more than their seeds.
    """
    runs = rows(study, **setting)
    measured = set.intersection(*({*run} for run in runs)) - {"setting", "date"}
    if name not in measured:
        raise ValueError(f"name: expected one of {_listed(measured)}, got {name!r}")
    keys = {key for run in runs for key in run["setting"]} - {"seed"}
    if mixed := _differing(runs, keys, least=2):
        raise ValueError(f"setting: expected runs that differ by seed alone, got {mixed}")
    found = [run[name] for run in sorted(runs, key=lambda run: run["setting"].get("seed", 0))]
    if place is None:
        return found
    try:
        return [entries[place] for entries in found]
    except (TypeError, IndexError) as error:
        raise ValueError(f"place: there is no entry {place!r} in {found[0]}") from error


def _read(argument: str, name: str) -> dict:
    folder = resources.files(__name__)
    names = {
        file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json")
    }
    if name not in names:
        raise ValueError(f"{argument}: expected one of {_listed(names)}, got {name!r}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def _listed(names) -> str:
    return ", ".join(sorted(names))


def _differing(runs: list[dict], keys, least: int = 1) -> str:
    """Say which values these keys have among the runs, if there are at least so many."""
    there = {key: dict.fromkeys(repr(run["setting"].get(key)) for run in runs) for key in keys}
    return "; ".join(f"{k}: {', '.join(v)}" for k, v in sorted(there.items()) if len(v) >= least)
