"""The starts and the solutions of the exercises, as they stand in the chapters."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHAPTERS = Path(__file__).parents[2] / "chapters"
DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Answer:
    """A cell with an answer: what kind, the answer's source as a tree, and what it was told."""

    tag: str
    check: str
    tree: ast.AST
    namespace: dict
    output: str


def called(call: ast.Call) -> str:
    """Return the name of what is called, with or without its module before it."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def answers() -> Iterator[Answer]:
    """Yield every cell tagged ``exercise`` or ``solution``.

    Of the cells only imports, functions and classes are executed, so that this takes a second.
    """
    for path in sorted(CHAPTERS.glob("[0-9]*.ipynb")):
        namespace: dict = {}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code" or "first-cell" in cell["metadata"].get("tags", []):
                continue
            body = ast.parse("".join(cell["source"])).body
            kept = [node for node in body if isinstance(node, DEFINITIONS)]
            exec(compile(ast.Module(kept, []), str(path), "exec"), namespace)
            for tag in {"exercise", "solution"} & set(cell["metadata"].get("tags", [])):
                call = next(
                    node
                    for node in ast.walk(ast.Module(body, []))
                    if isinstance(node, ast.Call) and called(node).startswith("check_")
                )
                name = call.args[0].id
                yield Answer(
                    tag,
                    called(call),
                    next(node for node in kept if getattr(node, "name", "") == name),
                    dict(namespace),
                    "".join(cell["outputs"][-1]["data"]["text/plain"]) if cell["outputs"] else "",
                )
