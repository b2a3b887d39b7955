"""Wrong answers made by a machine: right ones with one thing changed in their source.

``python -m tests.exercises.mutants`` prints how many each check names, and how many it shows beside
the right answer.
"""

import ast
import contextlib
import copy
import inspect
import types
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from rnnlib import exercises
from rnnlib.exercises.calling import undisturbed
from rnnlib.exercises.exercise import Case, Draw, Exercise
from rnnlib.exercises.verdict import WrongAnswer

from .chapters import answers

CHECKS = {check.__name__: check for group in exercises.CHAPTERS.values() for check in group}

OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (),
}
RELATIONS = {
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
NAMES = {
    "tanh": "sigmoid",
    "sigmoid": "tanh",
    "sum": "mean",
    "mean": "sum",
    "argmax": "argmin",
    "argmin": "argmax",
    "max": "min",
    "min": "max",
    "log2": "log",
    "log": "log2",
    "floor": "ceil",
    "stack": "cat",
    "cat": "stack",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "transpose": "reshape",
}
# Words of the messages to those who have the right numbers, and not what else the task asks for.
ASKED = ("the task asks for", "is asked for; this is", "two cells start with the same")


class Stuck(BaseException):
    """A mutant loops for ever."""


def once(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the changes of a single node, each with its name."""
    if isinstance(node, ast.BinOp):
        yield "a term dropped", node.left
        yield "a term dropped", node.right
        for other in OPERATORS.get(type(node.op), ()):
            yield "an operator", ast.BinOp(node.left, other(), node.right)
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div | ast.Pow):
            yield "operands swapped", ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.MatMult):
            for side in ("left", "right"):
                changed = copy.copy(node)
                setattr(changed, side, ast.Attribute(getattr(node, side), "T", ast.Load()))
                yield "a transpose", changed
        yield "a sign", ast.BinOp(ast.UnaryOp(ast.USub(), node.left), node.op, node.right)
        yield "a sign", ast.BinOp(node.left, node.op, ast.UnaryOp(ast.USub(), node.right))
    elif isinstance(node, ast.UnaryOp):
        yield "a sign", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "a transpose", node.value
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1, 2 * node.value):
            if value != node.value:
                yield "a number", ast.Constant(value)
    elif isinstance(node, ast.Slice):
        yield "a slice", ast.Slice()
        if node.lower is None and node.upper is None:
            yield "a slice", ast.Slice(lower=ast.Constant(1))
            yield "a slice", ast.Slice(upper=ast.Constant(-1))
        for bound in ("lower", "upper"):
            old = getattr(node, bound)
            if old is not None:
                other = ast.BinOp(old, ast.Add(), ast.Constant(1))
                yield (
                    "a slice",
                    ast.Slice(**{"lower": node.lower, "upper": node.upper, bound: other}),
                )
    elif isinstance(node, ast.Compare):
        for other in RELATIONS.get(type(node.ops[0]), ()):
            yield "a comparison", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.IfExp):
        yield "branches swapped", ast.IfExp(node.test, node.orelse, node.body)
        yield "a branch dropped", node.body
        yield "a branch dropped", node.orelse
    elif isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield "results swapped", ast.Tuple(node.elts[::-1], node.ctx)


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    function = node.func
    if isinstance(function, ast.Attribute):
        if function.attr in NAMES:
            other = ast.Attribute(function.value, NAMES[function.attr], function.ctx)
            yield "another function", ast.Call(other, node.args, node.keywords)
        yield "a call dropped", function.value
    if isinstance(function, ast.Name) and function.id in NAMES:
        other = ast.Name(NAMES[function.id], ast.Load())
        yield "another function", ast.Call(other, node.args, node.keywords)
    if len(node.args) >= 1:
        yield "a call dropped", node.args[0]
    if len(node.args) >= 2:
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "arguments swapped", ast.Call(function, swapped, node.keywords)
        yield "an argument dropped", ast.Call(function, node.args[:-1], node.keywords)
    for k in range(len(node.keywords)):
        rest = node.keywords[:k] + node.keywords[k + 1 :]
        yield "an argument dropped", ast.Call(function, node.args, rest)


def returned(value: ast.expr, names: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield changes of what is returned, for a function with these arguments."""
    for name in names:
        yield "an alias", ast.Name(name, ast.Load())
    yield "a detach", ast.Call(ast.Attribute(value, "detach", ast.Load()), [], [])
    yield "another dtype", ast.Call(ast.Name("_as_float", ast.Load()), [value], [])
    yield "a factor", ast.BinOp(value, ast.Mult(), ast.Constant(1.01))
    yield "a sign", ast.UnaryOp(ast.USub(), value)
    yield "an offset", ast.BinOp(value, ast.Add(), ast.Constant(1))
    yield "an axis", ast.Call(ast.Attribute(value, "flip", ast.Load()), [ast.Constant(0)], [])
    yield "an axis", ast.Attribute(value, "T", ast.Load())


def as_float(value):
    """Return numbers in another dtype: float64 arrays, float32 tensors, float lists."""
    if isinstance(value, tuple | list):
        return type(value)(map(as_float, value))
    return value.float() if hasattr(value, "float") else float(value)


def mutated(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield copies of a function's tree with one change each."""
    nodes = list(ast.walk(tree))
    for number, node in enumerate(nodes):
        for field, old in ast.iter_fields(node):
            if field in ("args", "decorator_list", "annotation", "returns") and not isinstance(
                node, ast.Call
            ):
                continue
            for k, part in enumerate(old) if isinstance(old, list) else [(None, old)]:
                if isinstance(part, ast.AST):
                    for name, new in once(part):
                        yield name, _replaced(tree, number, field, k, new)
                if (
                    isinstance(part, ast.stmt)
                    and k is not None
                    and not isinstance(part, ast.Return | ast.FunctionDef)
                ):
                    yield "a statement dropped", _replaced(tree, number, field, k, ast.Pass())
        value = node.value if isinstance(node, ast.Return) else getattr(node, "body", None)
        if value is not None and isinstance(node, ast.Return | ast.Lambda):
            field = "value" if isinstance(node, ast.Return) else "body"
            for name, new in returned(value, _arguments(tree)):
                yield name, _replaced(tree, number, field, None, new)


def _arguments(tree: ast.AST) -> list[str]:
    args = getattr(tree, "args", None)
    return [arg.arg for arg in args.args] if args else []


def _replaced(tree, number, field, k, new) -> ast.AST:
    tree = copy.deepcopy(tree)
    node = list(ast.walk(tree))[number]
    new = copy.deepcopy(new)
    if k is None:
        setattr(node, field, new)
    else:
        getattr(node, field)[k] = new
    return tree


class _Ticks(ast.NodeTransformer):
    """Count the rounds of every while loop."""

    def visit_While(self, node):
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Call(ast.Name("_tick", ast.Load()), [], [])))
        return node


def compiled(tree: ast.AST, namespace: dict) -> Callable | None:
    """Return the function of a tree; None if it is no Python any more."""
    rounds = Counter()

    def tick():
        rounds["of this call"] += 1
        if rounds["of this call"] > 150:
            raise Stuck

    tree = _Ticks().visit(copy.deepcopy(tree))
    name = getattr(tree, "name", "answer")
    if isinstance(tree, ast.FunctionDef):
        tree.body.insert(0, ast.Expr(ast.Call(ast.Name("_begin", ast.Load()), [], [])))
    if isinstance(tree, ast.Lambda):
        tree = ast.Assign([ast.Name(name, ast.Store())], tree)
    module = ast.fix_missing_locations(ast.Module([tree], []))
    space = {**namespace, "_begin": rounds.clear, "_tick": tick, "_as_float": as_float}
    try:
        exec(compile(module, "<mutant>", "exec"), space)
    except (SyntaxError, TypeError, ValueError):
        return None
    return space[name]


@cache
def _parsed(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def tree_of(function: Callable) -> tuple[ast.AST, dict] | None:
    """Return the tree of a function in a file, and the names that it sees; None if not found."""
    if not isinstance(function, types.FunctionType):
        return None
    code = function.__code__
    found = [
        node
        for node in ast.walk(_parsed(code.co_filename))
        if isinstance(node, ast.FunctionDef | ast.Lambda)
        and node.lineno == code.co_firstlineno
        and [a.arg for a in node.args.args] == list(code.co_varnames[: code.co_argcount])
        and (code.co_name == getattr(node, "name", "<lambda>"))
    ]
    if len(found) != 1:
        return None
    closure = dict(inspect.getclosurevars(function).nonlocals)
    return found[0], {**function.__globals__, **closure}


def solutions() -> dict[str, tuple[ast.AST, dict]]:
    """Return the committed solutions of the chapters: for each check, a tree and its names."""
    return {cell.check: (cell.tree, cell.namespace) for cell in answers() if cell.tag == "solution"}


def sources(check_name: str, right_answers: list[Callable]) -> list[tuple[ast.AST, dict]]:
    """Return the right answers to an exercise as trees: the chapter's, ours, the tests'."""
    functions = [CHECKS[check_name].exercise.right, *right_answers]
    trees = [found for function in functions if (found := tree_of(function))]
    return [solutions_once()[check_name], *trees]


@cache
def solutions_once() -> dict[str, tuple[ast.AST, dict]]:
    return solutions()


def mutants(check_name: str, right_answers: list[Callable]) -> Iterator[tuple[str, str, Callable]]:
    """Yield name, source and function of every mutant of an exercise's right answers, each once."""
    seen = set()
    for tree, namespace in sources(check_name, right_answers):
        for name, changed in mutated(tree):
            text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(changed)))
            if text in seen:
                continue
            seen.add(text)
            function = compiled(changed, namespace)
            if function is not None:
                yield name, text, function


# Sizes that are no plain numbers of rows or columns, and keep their values on other cases.
FIXED = {
    "T": ("check_windows",),
    "matrix": (),
    "case": (),
    "epochs": (),
    "characters": (),
    "layers": (),
    "k": (),
    "symbols": (),
    "L": (),
    "V": (),
    "bit": (),
}


def other_cases(exercise: Exercise, stack: contextlib.ExitStack) -> list[Case]:
    """Draw the check's own cases, others with other numbers, and where it can be other sizes."""
    cases = [case for seed in (0, 1, 2) for case in exercise.drawn(stack, seed)]
    for number, sizes in enumerate(exercise.cases[:3]):
        grown = {
            name: value + 2 + place
            if type(value) is int
            and not (name in FIXED and (not FIXED[name] or exercise.name in FIXED[name]))
            else value
            for place, (name, value) in enumerate(sizes.items())
        }
        with contextlib.suppress(Exception):
            arguments = exercise.draw(Draw(900 + number, stack), **grown)
            arguments = arguments if isinstance(arguments, tuple) else (arguments,)
            case = Case(arguments, str(grown), 900 + number)
            if not isinstance(exercise.observe(exercise.right, case), WrongAnswer):
                cases.append(case)
    return cases


class Oracle:
    """Says whether an answer is right, by many more cases than the check has."""

    def __init__(self, check_name: str):
        self.exercise = CHECKS[check_name].exercise
        self.stack = contextlib.ExitStack()
        with undisturbed():
            self.cases = other_cases(self.exercise, self.stack)
            self.right = [self.exercise.observe(self.exercise.right, c) for c in self.cases]

    def equivalent(self, function: Callable) -> bool:
        with undisturbed():
            for case, right in zip(self.cases, self.right, strict=True):
                got = self.exercise.observe(function, case)
                if isinstance(got, WrongAnswer) or not self.exercise.same(got, right):
                    return False
        return True


def survey(
    check_name: str, right_answers: list[Callable], at_most: int | None = None
) -> tuple[Counter, list[str]]:
    """Count what a check says of all mutants, or of some; list the wrong ones that it praises.

    A right one that is refused is listed as well, unless the task asks for more than the numbers.
    """
    check = CHECKS[check_name]
    known = set(check.exercise.mistakes)
    oracle = Oracle(check_name)
    counts, praised = Counter(), []
    every = list(mutants(check_name, right_answers))
    step = max(1, len(every) // at_most) if at_most else 1
    for name, text, function in every[::step]:
        try:
            verdict = check(function)
            same = oracle.equivalent(function)
        except Stuck:
            counts["stuck"] += 1
            continue
        if verdict.passed:
            counts["equivalent" if same else "praised"] += 1
            if not same:
                praised.append(f"{name}: {text}")
        elif verdict.message in known:
            counts["named"] += 1
        elif " raises " in verdict.message:
            counts["raises"] += 1
        elif "; expected " in verdict.message or "you gave" in verdict.message:
            counts["shown"] += 1
        else:
            counts["told otherwise"] += 1
        if same and not verdict.passed and not any(word in verdict.message for word in ASKED):
            praised.append(f"refused, though right: {verdict} {name}: {text}")
    return counts, praised


def main() -> None:
    from tests.exercises.test_checks import RIGHT

    total = Counter()
    for name in CHECKS:
        counts, praised = survey(name, [answer for check, answer in RIGHT if check is CHECKS[name]])
        total += counts
        print(f"{name:28}", dict(counts), flush=True)
        for line in praised:
            print("   ", line.replace("\n", " ⏎ "))
    print(dict(total))


if __name__ == "__main__":
    main()
