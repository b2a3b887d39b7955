"""The book: every chapter is listed, whole, honest about its outputs, and has the same shape."""

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import first_cell  # noqa: E402 (tools/ is no package)
import notebooks  # noqa: E402
from address import known_address  # noqa: E402

PAGES = sorted((ROOT / "chapters").glob("*.ipynb"))
# Other pages are front or back matter, which has a shape of its own and no exercises.
CHAPTERS = [page for page in PAGES if re.match(r"\d\d_", page.stem)]
NEAR = 3  # an equation is named at most so many cells before the code that computes it

EQUATION = re.compile(
    r"^\$\$\s*\(([\w-]+)\)\s*$"  # $$ … $$ (label)
    r"|^:label:\s*([\w-]+)\s*$"  # the option of a math directive
    r"|\\label\{([\w-]+)\}",  # in an amsmath environment
    re.MULTILINE,
)
EQUATION_ROLE = re.compile(r"\{eq\}`(?:[^`<]*<)?([\w-]+)>?`")
HIDING = ("nbval-skip", "nbval-ignore-output", "raises-exception", "nbval-raises-exception")
ELSEWHERE = re.compile(r"<link\b|@import|(?:src|href)\s*=\s*[\"']?(?:https?:)?//[^\"'\s>]+\.js")


def toc_files() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def code_cells(chapter):
    return [cell for cell in chapter.cells if cell.cell_type == "code"]


def python_of(cell) -> ast.Module:
    """Parse a cell's code, IPython's own syntax (%, !) left out."""
    return ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", cell.source, flags=re.MULTILINE))


def calls(cell) -> list[str]:
    """Return the names of functions that the cell calls outside functions and classes."""

    def visit(node):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.AsyncFunctionDef):
            return
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return list(visit(python_of(cell)))


@pytest.fixture(scope="module", params=PAGES, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture(scope="module")
def chapter(path):
    return nbformat.read(path, as_version=4)


# ----------------------------------------------------------------------------- the whole book


def test_every_page_is_in_the_table_of_contents_and_exists():
    listed = toc_files()
    pages = [
        page.relative_to(ROOT).with_suffix("").as_posix()
        for page in (ROOT / "chapters").iterdir()
        if page.suffix in (".ipynb", ".md")
    ]
    assert sorted(listed) == sorted(pages)


def test_chapters_stand_in_the_order_of_their_numbers():
    numbers = [int(m[1]) for file in toc_files() if (m := re.match(r"chapters/(\d+)_", file))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_front_page_lists_every_chapter_with_its_question_and_minutes():
    front = nbformat.read(ROOT / "chapters" / "index.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in front.cells)
    rows = re.findall(
        r"^\| (\d+) \| \{doc\}`(.+) <(\w+)>` \| (\d+) \+ (\d+) \|", text, re.MULTILINE
    )
    expected = []
    for number, page in enumerate(CHAPTERS, 1):
        opening = nbformat.read(page, as_version=4).cells[0].source
        # "… takes about 20 minutes, and 10 more for the exercises."
        reading, solving = re.search(r"about (\d+) minutes.*?(\d+)", opening).groups()
        question = opening.splitlines()[0].removeprefix("# ").replace("`", "")
        expected.append((str(number), question, page.stem, reading, solving))
    assert rows == expected


def test_the_book_is_built_from_the_committed_outputs():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"


# ----------------------------------------------------------------------------- one page


def test_file_is_what_executing_would_write(path, chapter):
    """Ids, metadata and layout are the ones `make notebooks` gives, so it leaves no diff."""
    written = path.read_text(encoding="utf-8")
    assert notebooks.as_text(notebooks.normalise(chapter)) == written, "run `make notebooks`"


def test_the_first_code_cell_is_the_one_that_every_page_has(chapter):
    assert first_cell.with_first_cell(chapter, known_address()) == notebooks.normalise(chapter)


def test_outputs_hold_nothing_that_must_not_be_committed(chapter):
    assert notebooks.problems(chapter) == []


def test_every_cell_has_run_in_order(chapter):
    counts = [cell.execution_count for cell in code_cells(chapter)]
    assert counts == list(range(1, len(counts) + 1))


def test_cells_that_print_or_draw_show_it(chapter):
    for cell in code_cells(chapter):
        kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
        if "print" in calls(cell):
            assert any(output.output_type == "stream" for output in cell.outputs), cell.source
        if "plt.show" in calls(cell):
            assert kinds & set(notebooks.IMAGES), cell.source


def test_no_line_of_output_is_a_bare_verdict(chapter):
    """A page shows the number, and the cell asserts its bound; a True alone argues nothing."""
    texts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in code_cells(chapter)
        for output in cell.outputs
    ]
    lines = "\n".join(texts).splitlines()
    assert [line for line in lines if re.search(r"(?<![=\w])(True|False)\W*$", line)] == []


def test_no_cell_is_kept_from_being_compared(chapter):
    for cell in code_cells(chapter):
        assert not set(tags(cell)) & set(HIDING), cell.source
        for marker in ("NBVAL_", "PYTEST_VALIDATE_IGNORE_OUTPUT"):
            assert marker not in cell.source


def test_every_picture_has_an_alternative_text(chapter):
    for cell in code_cells(chapter):
        for output in cell.outputs:
            data = output.get("data", {})
            if set(data) & set(notebooks.IMAGES):
                alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
                assert len(alt) > 20, f"no alt text: {cell.source[:200]}"
            drawing = data.get("text/html", "")
            if "<svg" in drawing:
                assert "aria-label" in drawing or "<title" in drawing, cell.source
            for image in re.findall(r"<img\b[^>]*>", drawing):
                assert re.search(r'\balt="[^"]{20,}"', image), cell.source


def test_a_live_figure_has_a_number_by_which_the_text_calls_it(path, chapter):
    if path.stem == "index":  # the front page has no number, nor has its figure
        return
    prose = "".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    for cell in code_cells(chapter):
        if any(
            " data-live=" in output.get("data", {}).get("text/html", "") for output in cell.outputs
        ):
            figure = cell.metadata["mystnb"]["figure"]
            assert len(figure["caption"]) > 20
            assert f"{{numref}}`{figure['name']}`" in prose


def test_outputs_load_nothing_from_elsewhere(chapter):
    for cell in code_cells(chapter):
        for output in cell.outputs:
            assert not ELSEWHERE.search(output.get("data", {}).get("text/html", "")), cell.source


def test_first_code_cell_imports_rnnlib(chapter):
    imported = set()
    for node in ast.walk(python_of(code_cells(chapter)[0])):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert "rnnlib" in imported


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem, scope="module")
def test_shape_of_a_chapter(chapter):
    first = chapter.cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"(\([\w-]+\)=\n+)?# \S", first.source), "a chapter begins with its title"
    opening = ""
    for cell in chapter.cells:
        if cell.cell_type == "code":
            break
        opening += cell.source + "\n"
    for promise in ("What you will do", "What you will learn", "What you need"):
        assert promise in opening, f"{promise!r} is missing before the first code cell"
    text = "\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)) == 1
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings[-3:] == ["Summary", "Exercises", "Next"]


def exercises(chapter) -> dict[str, list]:
    """Return the cells under each `### Exercise …` heading."""
    found: dict[str, list] = {}
    current = None
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^##+ .*$", cell.source, re.MULTILINE):
                current = heading if heading.startswith("### Exercise") else None
                if current:
                    assert current not in found, f"two exercises are called {current!r}"
                    found[current] = []
        if current:
            found[current].append(cell)
    return found


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem, scope="module")
def test_exercises_have_a_start_a_check_and_a_hidden_solution(chapter):
    found = exercises(chapter)
    assert 3 <= len(found) <= 5
    for heading, cells in found.items():
        code = [cell for cell in cells if cell.cell_type == "code"]
        starts = [cell for cell in code if "exercise" in tags(cell)]
        solutions = [cell for cell in code if "solution" in tags(cell)]
        assert starts and solutions, heading
        assert code.index(starts[0]) < code.index(solutions[0]), heading
        for group in (starts, solutions):
            names = [name for cell in group for name in calls(cell)]
            assert any(name.split(".")[-1].startswith("check_") for name in names), heading
        for cell in solutions:
            assert "hide-cell" in tags(cell), f"{heading}: the solution is in plain sight"


def test_exercise_cells_stand_under_exercises(chapter):
    under = {id(cell) for cells in exercises(chapter).values() for cell in cells}
    for cell in code_cells(chapter):
        if {"exercise", "solution"} & set(tags(cell)):
            assert id(cell) in under, cell.source


def test_checks_say_yes_to_the_solution_and_not_to_the_empty_start(chapter):
    for heading, cells in exercises(chapter).items():
        for cell in cells:
            shown = "\n".join(text for o in cell.get("outputs", []) for text in shown_text(o))
            if "solution" in tags(cell):
                assert "✗" not in shown, heading
            if "exercise" in tags(cell):
                assert "✓" not in shown, heading
        solutions = [cell for cell in cells if "solution" in tags(cell)]
        shown = "\n".join(text for c in solutions for o in c.outputs for text in shown_text(o))
        assert "✓" in shown, f"{heading}: no check confirms the solution"
        assert max(map(len, shown.splitlines())) <= 80, f"{heading}: wider than the page"


def shown_text(output) -> list[str]:
    return notebooks.output_texts(output)


def test_every_labelled_equation_is_named_beside_its_code(chapter):
    """See tests/README.md, "Equations and code"."""
    cells = chapter.cells
    labels, named = set(), set()
    for number, cell in enumerate(cells):
        if cell.cell_type == "code":
            named |= set(re.findall(r"\beq-[\w-]+", cell.source))
            continue
        if not cell.metadata.get("unrolled", {}).get("derivation"):
            labels |= {a or b or c for a, b, c in EQUATION.findall(cell.source) if a or b or c}
        if any(later.cell_type == "code" for later in cells[number + 1 : number + 1 + NEAR]):
            named |= set(EQUATION_ROLE.findall(cell.source))
    labels = {label for label in labels if label.startswith("eq-")}
    assert labels - named == set(), "labelled, but not named beside code"
