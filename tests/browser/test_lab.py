"""The reader's desk in a real JupyterLab: three chapters are run, and the book is as before."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ["01_equations", "02_unfolded_view", "05_bidirectional"]
SECONDS = 600  # in which JupyterLab must start, and a chapter end, on a busy machine

OPEN = "jupyterapp.shell.currentWidget"
CELLS = f"{OPEN}.content.widgets"  # also those that are not on the screen


def git_status():
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def desk():
    """A new desk, inside the repository as a reader's is, and the address of its JupyterLab."""
    before = git_status()
    folder = Path(tempfile.mkdtemp(prefix=".desk-", dir=ROOT))
    address = f"http://127.0.0.1:{free_port()}"
    home = Path(tempfile.mkdtemp())  # for JupyterLab's settings and signatures, and the progress
    settings = [f"--port={address.rpartition(':')[2]}", "--ServerApp.port_retries=0"]
    settings += ["--no-browser", "--expose-app-in-browser", "--IdentityProvider.token="]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home),
        "JUPYTER_DATA_DIR": str(home),
        "RNNLIB_PROGRESS": str(home / "progress.json"),
    }
    with open(home / "log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, ROOT / "tools" / "desk.py", "--desk", folder, *settings],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(f"{address}/api", server, home / "log")
        yield folder, address, home, before
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)
        shutil.rmtree(home)


def wait_for(address, server, log):
    """Return when a server answers."""
    for _ in range(SECONDS):
        assert server.poll() is None, log.read_text("utf-8")
        try:
            return urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(1)
    raise AssertionError(f"no answer from {address}:\n{log.read_text('utf-8')}")


def solutions(path):
    """Return right answers to the exercises of a page, each with its check, and their names."""
    answers, checks = [], []
    for cell in nbformat.read(path, as_version=4).cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            check = cell.source.splitlines()[-1]
        if "solution" in tags:
            answers.append(cell.source.partition("\nverdict =")[0] + f"\n\n{check}")
            checks.append(re.match(r"(?:exercises\.)?(\w+)", check)[1])
    return answers, checks


@pytest.fixture
def page(browser, desk):
    _, address, *_ = desk
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(SECONDS * 1000)
    page.elsewhere = []
    page.on("request", lambda request: page.elsewhere.append(request.url))
    page.goto(address)
    page.wait_for_selector(".jp-Notebook h1:has-text('Unrolled')")  # the front page, unasked
    yield page
    page.close()


def open_chapter(page, name):
    """Go from the front page to a chapter, by its link."""
    page.locator(f".jp-Notebook td a[href*='{name}.ipynb']").click()
    page.wait_for_function(f"{OPEN}.context.path == '{name}.ipynb' && {OPEN}.context.isReady")
    page.wait_for_function(f"{OPEN}.sessionContext.session?.kernel?.status == 'idle'")


def command(page, name):
    """Have JupyterLab carry out a command, and wait for its end."""
    page.evaluate(
        f"""() => {{
            window.done = false;
            jupyterapp.commands.execute("{name}").then(() => window.done = true);
        }}"""
    )
    page.wait_for_function("window.done")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_whole_before_it_is_run(desk, page, name):
    open_chapter(page, name)
    trusted, folded = page.evaluate(
        f"""[
            {CELLS}.every(c => c.model.type != "code" || c.model.trusted),
            {CELLS}.filter(c => (c.model.getMetadata("tags") ?? []).includes("solution"))
                .every(c => c.inputHidden && c.outputHidden),
        ]"""
    )
    assert trusted and folded
    assert [url for url in page.elsewhere if not url.startswith((desk[1], "data:", "blob:"))] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_run_all_of_a_solved_chapter(desk, page, name):
    folder, _, home, before = desk
    answers, checks = solutions(folder / f"{name}.ipynb")
    open_chapter(page, name)
    page.evaluate(
        f"""answers => {CELLS}
            .filter(c => (c.model.getMetadata("tags") ?? []).includes("exercise"))
            .forEach((c, number) => c.model.sharedModel.setSource(answers[number]))""",
        answers,
    )
    command(page, "notebook:run-all-cells")
    command(page, "docmanager:save")
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        for output in cell.outputs:
            assert output.output_type != "error", output
            if output.get("name") == "stderr":  # once after rnnlib has changed
                assert output.text.startswith("rnnlib: compiling its passes"), output
    shown = "".join(
        output.get("data", {}).get("text/plain", "")
        for cell in code
        if "exercise" in cell.metadata.get("tags", [])
        for output in cell.outputs
    )
    assert shown.count("✓") == len(checks) and "✗" not in shown
    assert set(checks) <= set(json.loads((home / "progress.json").read_text("utf-8")).popitem()[1])
    assert git_status() == before


def test_the_book_is_green_after_all_this(desk):
    """Run what `make test CHAPTERS=…` does; of the unit tests, those of the book and exercises."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/test_book.py", "tests/exercises", "--nbval"]
        + ["--nbval-current-env", "--nbval-cell-timeout", "120"]
        + [f"chapters/{name}.ipynb" for name in CHAPTERS],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert git_status() == desk[-1]
