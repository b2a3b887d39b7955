"""Measured results that pages quote, kept in the package: a chapter runs wherever it is installed.

``read("benchmarks")`` is what `make bench` has measured; benchmarks/README.md says how to read it.
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
    folder = resources.files(__name__)
    names = sorted(
        file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json")
    )
    if name not in names:
        raise ValueError(f"name: expected one of {', '.join(names)}, got {name!r}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
