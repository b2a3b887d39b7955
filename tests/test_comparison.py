"""What counts as the same output when a chapter is run again; and what the run shows of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from comparison import texts_agree  # noqa: E402 (tools/ is no package)

SAME = [
    ("loss 0.30", "loss 0.31"),
    ("0.30%, '0.30', 0.30×, 0.30 s, (0.30)", "0.31%, '0.29', 0.31×, 0.31 s, (0.29)"),
    ("The loss is 0.30.", "The loss is 0.31."),
    ("-0.01 and +0.00", "0.00 and -0.01"),
    ("9.99 and 0.0999", "10.00 and 0.1000"),
    ("|  9.99|", "| 10.00|"),
    ("[ 0.00, 1.00]", "[-0.00, 0.99]"),
    ("tensor([1.0000e-03, 2.5000])", "tensor([1.0001e-03, 2.4999])"),
    ("9.9e-06 2e-05 1.e-07", "1.0e-05 3e-05 2.e-07"),
    ("nan inf -inf", "nan inf -inf"),
    ("-1.25-0.50j", "-1.24-0.51j"),
    # Both ends of a span, printed alike or not.
    ("loss 0.12", "loss 0.12 to 0.13"),
    ("0.12; 0.5 to 0.9", "0.11 to 0.12; 0.5 to 0.8"),
    ("1e-05 to 2e-05", "1e-05"),
    ("| 0.48 | 0.2 to 0.3 |", "| 0.47 to 0.49 | 0.3 |"),
    (
        "a  0.12          0.5 to 0.9\nb  0.11 to 0.40  0.5",
        "a  0.12 to 0.13  0.5 to 0.9\nb  0.11 to 0.40  0.5",
    ),
]

DIFFERENT = {
    "two units": ("0.30", "0.32"),
    "a digit further up": ("12.345", "13.345"),
    "the first digit": ("0.277", "1.277"),
    "one of many numbers": ("0.1 0.2 0.3", "0.1 0.2 0.5"),
    "another sign": ("0.30", "-0.30"),
    "another sign of an imaginary part": ("0.5+0.2j", "0.5-0.2j"),
    "another exponent": ("1e-05", "1e-06"),
    "another exponent after digits": ("1.50e-03", "1.50e-04"),
    "another word": ("loss 0.30", "cost 0.30"),
    "another word, all else unlike by a unit": ("loss 0.30", "cost 0.31"),
    "a missing word": ("the loss 0.30", "loss 0.30"),
    "a missing line": ("0.30\n0.40\n", "0.30\n"),
    "a missing end of line": ("0.30\n0.40", "0.30 0.40"),
    "one more number": ("0.30", "0.30 0.30"),
    "blanks before a number": ("x  0.30", "x 0.30"),
    "more blanks before a number": ("x   0.30", "x  0.30"),
    "an integer": ("110 letters", "111 letters"),
    "an integer with commas": ("1,110", "1,111"),
    "a whole number as PyTorch prints it": ("tensor([1., 0.])", "tensor([0., 1.])"),
    "a shape": ("torch.Size([3, 4])", "torch.Size([3, 5])"),
    "a version": ("3.11.2", "3.11.3"),
    "the middle of a version": ("3.11.2", "3.12.2"),
    "a name with a number": ("block1.5", "block1.6"),
    "nan": ("nan", "0.30"),
    "a span": ("0.12", "0.12 to 0.15"),
    "a span with one end alike": ("0.12", "0.12 to 0.14"),
    "a span elsewhere": ("0.12 to 0.13", "0.15"),
    "a wide span": ("0.1 to 0.9", "0.1 to 0.7"),
    "a span of integers": ("12 to 13", "12"),
    "a word beside a span": ("loss 0.12", "cost 0.12 to 0.13"),
    "blanks before a number beside a span": ("0.12 x  0.30", "0.12 to 0.13 x 0.30"),
    "infinity": ("0.30", "inf"),
    "the sign of infinity": ("inf", "-inf"),
    "a truth": ("True", "False"),
}


@pytest.mark.parametrize(("stored", "fresh"), SAME)
def test_a_unit_in_the_last_digit_is_no_difference(stored, fresh):
    assert texts_agree(stored, fresh) and texts_agree(fresh, stored)


@pytest.mark.parametrize("case", DIFFERENT)
def test_anything_else_is_a_difference(case):
    stored, fresh = DIFFERENT[case]
    assert not texts_agree(stored, fresh) and not texts_agree(fresh, stored)
    assert texts_agree(stored, stored)


# ----------------------------------------------------------------------------- nbval


def nbval(path, *arguments, **variables):
    """Run a notebook outside the project with the project's conftest."""
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "--nbval", "--nbval-current-env"]
    places = ["--rootdir", str(path.parent), "-c", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        [*command, "--color=no", *places, *arguments, str(path)],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        encoding="utf-8",
    )


def stored(path, *cells):
    """Write a notebook of cells that print, each a pair of a source and what is stored for it."""
    book = nbformat.v4.new_notebook(cells=[code(*cell) for cell in cells])
    nbformat.write(book, path)
    return path


def code(source, text="", kind="stdout"):
    outputs = [nbformat.v4.new_output("stream", name=kind, text=text)] if text else []
    return nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=1)


def failed(run):
    """The numbers of the cells that nbval found wanting."""
    return [int(number) for number in re.findall(r"^FAILED .*::Cell (\d+)", run.stdout, re.M)]


def test_nbval_sees_what_a_page_should_not_say(tmp_path):
    html = "from IPython.display import HTML\nHTML('<b>0.31</b> of {}')"
    show = nbformat.v4.new_output
    path = stored(
        tmp_path / "page.ipynb",
        ("print('loss', 0.31)", "loss 0.30\n"),
        ("print('loss', 0.32)", "loss 0.30\n"),
        ("print(f'{1:d}')\nprint(0.25)", "1\n0.25\n"),
        ("print('one line')", "one line\nand another\n"),
        (html.format("four"),),
        (html.format("five"),),
        ("import sys; print('10%', file=sys.stderr)",),
        ("'hidden by the semicolon';",),
        ("print('stored nothing')",),
    )
    book = nbformat.read(path, as_version=4)
    text = {"text/plain": "<IPython.core.display.HTML object>", "text/html": "<b>0.30</b> of four"}
    for cell in book.cells[4:6]:
        cell.outputs = [show("execute_result", data=dict(text), execution_count=1)]
    nbformat.write(book, path)
    run = nbval(path)
    assert failed(run) == [1, 3, 5, 8], run.stdout
    assert "5 passed" in run.stdout
    assert "seconds per chapter" in run.stdout


def test_nbval_does_not_compare_pictures(tmp_path):
    source = "from IPython.display import SVG\nSVG('<svg xmlns=\"x\"><g/></svg>')"
    path = stored(tmp_path / "picture.ipynb", (source,))
    book = nbformat.read(path, as_version=4)
    data = {
        "image/svg+xml": "<svg>another</svg>",
        "text/plain": "<IPython.core.display.SVG object>",
    }
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    book.cells[0].outputs = [output]
    nbformat.write(book, path)
    run = nbval(path)
    assert "1 passed" in run.stdout, run.stdout


def test_a_failing_assert_says_what_it_compared(tmp_path):
    path = stored(tmp_path / "claim.ipynb", ("losses = [0.5, 0.2]\nassert max(losses) < 0.3",))
    run = nbval(path)
    assert failed(run) == [0]
    assert "assert 0.5 < 0.3" in run.stdout and "0.5 = max([0.5, 0.2])" in run.stdout


def test_a_cell_that_takes_too_long_is_one_failure(tmp_path):
    path = stored(
        tmp_path / "slow.ipynb",
        ("print(1)", "1\n"),
        ("import time; time.sleep(60)",),
        *[("print(2)", "2\n")] * 5,
    )
    run = nbval(path, "--nbval-cell-timeout=2")
    assert failed(run) == [1], run.stdout
    assert "1 failed, 1 passed, 5 skipped" in run.stdout
    assert "Timeout of 2 seconds exceeded" in run.stdout
