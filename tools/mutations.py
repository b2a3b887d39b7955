"""Small changes to a source, each of which a test should notice: the mutants of `tools/mutants.py`.

A mutant is the text of a file with one place replaced; everything else, comments included, stays.
Not touched: imports, annotations, docstrings, what stands inside an f-string, and decorators but
for those of DECORATORS.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("zeros", "ones"),
    ("new_zeros", "new_ones"),
    ("zeros_like", "ones_like"),
    ("sigmoid", "tanh"),
)
NAMES = dict(PAIRS) | {b: a for a, b in PAIRS}
DECORATORS = ("no_grad", "inference_mode", "eagerly")
"""Decorators that change what a function does, and without which it can still be called."""


@dataclass(frozen=True)
class Mutant:
    """One changed place of a room.

    Parameters
    ----------
    room : str
        The file's path below the package.
    where : str
        The class and function that the place is in; "" outside of all.
    line : str
        The first line of the place, without its indentation.
    change : str
        What was there, and what is there now. With `where` and `line` it says which mutant this is,
        also after lines above it were added or taken away.
    lines : range
        The numbers of its lines.
    at_import : bool
        Whether the place runs when the room is imported, not when a function is called.
    source : bytes
        The whole file, changed.
    """

    room: str
    where: str
    line: str
    change: str
    lines: range
    at_import: bool
    source: bytes

    @property
    def name(self) -> str:
        """Return what identifies the mutant."""
        return " | ".join((self.room, self.where, self.line, self.change))


def mutants(room: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a room's source."""
    text = source.decode("utf-8")
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found, times = [], Counter()
    for node, new, where, at_import in _places(ast.parse(text)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        if isinstance(new, Without):
            begin = source.rindex(b"@", 0, begin)
            new = ""
        old = source[begin:end].decode("utf-8")
        changed = source[:begin] + new.encode("utf-8") + source[end:]
        line = source[starts[node.lineno - 1] :].splitlines()[0].decode("utf-8").strip()
        change = f"{_short(old)} → {_short(new)}"
        times[where, line, change] += 1
        if times[where, line, change] > 1:
            change += f" ({times[where, line, change]})"
        lines = range(node.lineno, node.end_lineno + 1)
        found.append(Mutant(room, where, line, change, lines, at_import, changed))
    return found


def sample(every: list[Mutant], number: int, seed: int) -> list[Mutant]:
    """Draw some mutants. A larger number keeps these; an edit of the room keeps most of them."""

    def key(mutant: Mutant) -> str:
        return hashlib.sha256(f"{seed} {mutant.name}".encode()).hexdigest()

    drawn = filter(is_program, sorted(every, key=key))
    return list(itertools.islice(drawn, number))


def is_program(mutant: Mutant) -> bool:
    """Return whether Python can read a mutant."""
    try:
        ast.parse(mutant.source)
        return True
    except SyntaxError:
        return False


class Without(str):
    """The text of a place from which a decorator is taken."""


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _places(tree: ast.Module) -> Iterator[tuple[ast.AST, str, str, bool]]:
    """Yield node, its new text, the name of what it is in, and whether it runs at import."""

    def walk(node: ast.AST, inside: tuple[str, ...], at_import: bool) -> Iterator:
        if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr) or _is_docstring(node):
            if isinstance(node, ast.JoinedStr):
                yield node, '""', ".".join(inside), at_import
            return
        for new in _changes(node):
            yield *(new if isinstance(new, tuple) else (node, new)), ".".join(inside), at_import
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if any(name in ast.unparse(decorator) for name in DECORATORS):
                    yield decorator, Without(), ".".join((*inside, node.name)), at_import
            inside = (*inside, node.name)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            later = isinstance(node, ast.FunctionDef | ast.Lambda) and field == "body"
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child, inside, at_import and not later)

    yield from walk(tree, (), True)


def _is_docstring(node: ast.AST) -> bool:
    """Also the string below a constant that explains it, and ``__all__``."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST) -> Iterator[str | tuple[ast.AST, str]]:
    """Yield new texts for a node, or pairs of a node within it and its new text."""
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                ops = [*node.ops[:i], COMPARISONS[type(op)](), *node.ops[i + 1 :]]
                yield _with(node, ops=ops)
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.AugAssign():
            yield "pass"
            if type(node.op) in ARITHMETIC:
                yield _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield f"({ast.unparse(node.operand)})"
        case ast.UnaryOp(op=ast.USub()):
            yield _with(node, op=ast.UAdd())
        case ast.Constant(value=bool()):
            yield str(not node.value)
        case ast.Constant(value=int() | float()):
            yield repr(node.value + 1)
        case ast.Constant(value=str()):
            yield '""' if node.value else '"XX"'
        case ast.Call():
            for i, keyword in enumerate(node.keywords):
                if keyword.arg:
                    yield _with(node, keywords=node.keywords[:i] + node.keywords[i + 1 :])
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in NAMES:
                field = "id" if isinstance(node.func, ast.Name) else "attr"
                yield node.func, _with(node.func, **{field: NAMES[name]})
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Delete():
            yield "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "pass"
        case ast.Return() if node.value and ast.unparse(node.value) != "None":
            yield "return None"
        case ast.Break():
            yield "continue"
        case ast.Continue():
            yield "break"
    tests = [node.test] if isinstance(node, ast.If | ast.While | ast.IfExp) else []
    for test in tests + (node.ifs if isinstance(node, ast.comprehension) else []):
        plain = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not plain and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield test, f"(not ({ast.unparse(test)}))"


def _with(node: ast.AST, **fields) -> str:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return ast.unparse(changed)
