"""Code of the package, for a page to print."""

import ast
import importlib.util
from pathlib import Path


def source_of(module: str, name: str) -> str:
    """Return a function's or a class's source, without its decorators and without running it.

    Parameters
    ----------
    module : str
        Such as "rnnlib.bptt.compiled"; it is read, not imported, so that what it needs may be
        missing.
    name : str
        What is defined at the module's top level.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such module, or nothing of this name in it.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"module: expected a module written in Python, got {module!r}")
    text = Path(spec.origin).read_text(encoding="utf-8")
    names = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if node.name == name:
                return "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
            names.append(node.name)
    raise ValueError(f"name: expected one of {', '.join(names)}, got {name!r}")
