"""The tools behind the commands: set-up, execution of notebooks, what nbval compares."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "_ext")]

import notebooks  # noqa: E402 (tools/ is no package)
import setup_env  # noqa: E402
import unrolled  # noqa: E402

# ----------------------------------------------------------------------------- notebooks


def code(source, *outputs, count=1):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=count)


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def result(text, kind="text/plain"):
    return nbformat.v4.new_output("execute_result", data={kind: text}, execution_count=7)


def test_normalising_removes_what_varies():
    cell = code("1", stream("a\n"), stream("10%", "stderr"), stream("b\n"), result("2"), count=41)
    cell.metadata = {"execution": {"iopub.busy": "2024"}, "tags": ["x"], "collapsed": True}
    book = notebook(cell, code("1"))
    book.metadata = {"language_info": {"version": "3.99"}, "widgets": {}}
    normal = notebooks.normalise(book)
    first, second = normal.cells
    assert [o.get("text") for o in first.outputs] == ["a\nb\n", None]
    assert first.metadata == {"tags": ["x"]}
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert first.outputs[-1].execution_count == 1
    assert "version" not in normal.metadata.language_info
    assert "widgets" not in normal.metadata
    assert book.cells[0].execution_count == 41, "the original is left alone"


def test_cell_ids_follow_from_the_sources_and_differ():
    cells = [code("a = 1"), code("a = 1"), code("b = 1"), nbformat.v4.new_markdown_cell("a = 1")]
    ids = [cell.id for cell in notebooks.normalise(notebook(*cells)).cells]
    assert len(set(ids)) == 4
    assert ids[1] == ids[0] + "-2"
    again = [cell.id for cell in notebooks.normalise(notebook(*cells)).cells]
    assert ids == again


def test_normalising_twice_is_normalising_once():
    book = notebook(code("1", stream("a"), stream("b"), result("2"), count=3))
    once = notebooks.normalise(book)
    assert notebooks.as_text(notebooks.normalise(once)) == notebooks.as_text(once)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (result("[<matplotlib.lines.Line2D at 0x7fd79c180770>]"), "memory address 0x7fd79c180770"),
        (stream(f"saved in {ROOT}/x"), "this folder's path"),
        (nbformat.v4.new_output("error", ename="KeyError", evalue="'k'"), "ends in KeyError: 'k'"),
        (result("x", "application/vnd.jupyter.widget-view+json"), "shows a widget"),
    ],
)
def test_outputs_that_cannot_be_kept_are_named(output, words):
    book = notebook(code("print(1)"), code("look = here", output))
    (found,) = notebooks.problems(book)
    assert words in found
    assert "cell 1" in found and "look = here" in found


def test_harmless_outputs_are_kept():
    assert notebooks.problems(notebook(code("1", result("0.25"), stream("0xff is 255")))) == []


def stored(path, *cells):
    path.write_text(notebooks.as_text(notebooks.normalise(notebook(*cells))), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_executing_twice_changes_nothing_and_check_agrees(tmp_path, capsys):
    path = tmp_path / "good.ipynb"
    stored(path, code("print('one')"), code("import sys; print('bar', file=sys.stderr)\n{2, 1}"))
    assert notebooks.main([str(path)]) == 0
    first = path.read_bytes()
    assert notebooks.main(["--check", str(path)]) == 0
    assert path.read_bytes() == first
    assert b"bar" not in first.split(b'"source"')[0]
    assert [p.name for p in tmp_path.iterdir()] == ["good.ipynb"]


def test_failing_notebook_is_left_as_it_was(tmp_path, capsys):
    path = tmp_path / "bad.ipynb"
    before = stored(path, code("print('one')"), code("1 / 0"))
    assert notebooks.main([str(path)]) == 1
    assert path.read_text(encoding="utf-8") == before
    printed = capsys.readouterr().out
    assert "bad.ipynb: cell 1 failed" in printed and "ZeroDivisionError" in printed


def test_check_names_the_cell_that_differs(tmp_path, capsys):
    path = tmp_path / "stale.ipynb"
    before = stored(path, code("1"), code("print('new')", stream("old\n")))
    assert notebooks.main(["--check", str(path)]) == 1
    assert "cell 0" in capsys.readouterr().out  # its result is not stored
    assert path.read_text(encoding="utf-8") == before


def test_other_devices_do_not_write_outputs(tmp_path, monkeypatch, capsys):
    path = tmp_path / "gpu.ipynb"
    before = stored(path, code("print('one')"))
    monkeypatch.setenv("RNNLIB_DEVICE", "cuda")
    assert notebooks.main([str(path)]) == 2
    assert "RNNLIB_DEVICE is 'cuda'" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == before


# ----------------------------------------------------------------------------- nbval


def nbval(path):
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "--nbval", "--nbval-current-env"]
    return subprocess.run(
        [*command, "--rootdir", str(path.parent), "-c", os.devnull, str(path)],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_nbval_compares_text_and_html_but_not_pictures_and_stderr(tmp_path):
    svg = "from IPython.display import SVG, HTML\nSVG('<svg xmlns=\"x\"><g/></svg>')"
    path = tmp_path / "mixed.ipynb"
    stored(
        path,
        code(svg, result("<svg>another</svg>", "image/svg+xml"), result("x")),
        code("import sys; print('10%', file=sys.stderr)"),
        code("print('new')", stream("old\n")),
        code("HTML('<b>new</b>')", result("<b>old</b>", "text/html")),
        code("print('same')", stream("same\n")),
        code("'hidden by the semicolon';"),
    )
    book = nbformat.read(path, as_version=4)
    book.cells[0].outputs = [
        nbformat.v4.new_output(
            "execute_result",
            data={
                "image/svg+xml": "<svg>another</svg>",
                "text/plain": "<IPython.core.display.SVG object>",
            },
        )
    ]
    book.cells[3].outputs[0].data["text/plain"] = "<IPython.core.display.HTML object>"
    nbformat.write(book, path)
    run = nbval(path)
    assert "2 failed, 4 passed" in run.stdout, run.stdout
    assert "mixed.ipynb::Cell 2" in run.stdout and "mixed.ipynb::Cell 3" in run.stdout
    assert "seconds per chapter" in run.stdout


# ----------------------------------------------------------------------------- set-up


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with requirements and a healthy .venv that set-up takes for its own."""
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text("one==1\n")
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "bin" / "pip").write_text(f"#!{venv}/bin/python\n")
    for name, path in {
        "ROOT": tmp_path,
        "VENV": venv,
        "BIN": venv / "bin",
        "VENV_PYTHON": venv / "bin" / "python",
        "STAMP": venv / "unrolled-stamp",
        "UNFINISHED": venv / "unrolled-unfinished",
        "LOG": venv / "setup.log",
        "REQUIREMENTS": tmp_path / "requirements.txt",
        "PYPROJECT": tmp_path / "pyproject.toml",
    }.items():
        monkeypatch.setattr(setup_env, name, str(path))
    stamp = setup_env.stamp_text(sys.version_info[:3], str(tmp_path))
    (venv / "unrolled-stamp").write_text(stamp)
    return tmp_path


def test_set_up_can_be_read_by_old_pythons():
    source = (ROOT / "tools" / "setup_env.py").read_text(encoding="ascii")
    ast.parse(source, feature_version=(3, 6))


def test_old_python_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(setup_env, "runs", lambda name: name == "python3.12")
    with pytest.raises(setup_env.SetupError) as error:
        setup_env.check_version((3, 9, 18), "/usr/bin/python3")
    assert "3.11 or newer; this is Python 3.9.18 (/usr/bin/python3)" in str(error.value)
    assert "make PYTHON=python3.12 book" in str(error.value)


def test_missing_ensurepip_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    major, minor = sys.version_info[:2]
    with pytest.raises(setup_env.SetupError, match=f"apt install python{major}.{minor}-venv"):
        setup_env.check_modules()


def test_nothing_is_done_twice(place, monkeypatch, capsys):
    monkeypatch.setattr(setup_env, "pip_install", lambda: pytest.fail("pip was called"))
    setup_env.set_up(chosen=False)
    assert "up to date" in capsys.readouterr().out


def test_changed_requirements_are_installed_into_the_same_venv(place, monkeypatch):
    (place / "requirements.txt").write_text("two==2\n")
    called = []
    monkeypatch.setattr(setup_env, "pip_install", lambda: called.append(1))
    monkeypatch.setattr(setup_env, "remove_venv", lambda: pytest.fail("thrown away"))
    monkeypatch.setattr(setup_env.subprocess, "call", lambda *a, **k: 0)
    setup_env.set_up(chosen=False)
    assert called == [1]
    assert setup_env.read(setup_env.STAMP) == setup_env.stamp_text(sys.version_info[:3], str(place))
    assert not os.path.exists(setup_env.UNFINISHED)


def test_interrupted_install_leaves_its_mark(place, monkeypatch, capsys):
    (place / "requirements.txt").write_text("two==2\n")

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(setup_env, "pip_install", interrupted)
    assert setup_env.main([]) == 130
    assert "Run the same command again" in capsys.readouterr().out
    assert setup_env.fault_of_venv(False) == "the last set-up did not finish"


def spoil_python(place):
    (place / ".venv/bin/python").unlink()


def spoil_finish(place):
    (place / ".venv/unrolled-unfinished").write_text("")


def spoil_place(place):
    stamp = place / ".venv/unrolled-stamp"
    stamp.write_text(stamp.read_text().replace(str(place), "/elsewhere"))


def spoil_pip(place):
    (place / ".venv/bin/pip").write_text("#!/elsewhere/.venv/bin/python\n")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_python, "does not run"),
        (spoil_finish, "did not finish"),
        (spoil_place, "another folder (/elsewhere)"),
        (spoil_pip, "another folder"),
    ],
)
def test_spoilt_venv_is_recognised(place, spoil, words):
    assert setup_env.fault_of_venv(chosen=True) is None
    spoil(place)
    assert words in setup_env.fault_of_venv(chosen=True)


def test_another_python_counts_only_when_it_was_asked_for(place, monkeypatch):
    monkeypatch.setattr(setup_env, "venv_version", lambda: (3, 99, 0))
    os.remove(setup_env.STAMP)
    assert setup_env.fault_of_venv(chosen=False) is None
    assert "3.99, and" in setup_env.fault_of_venv(chosen=True)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (
            "NewConnectionError('Failed to establish a new connection')\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "could not reach the package index",
        ),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for torch==2.13.0", "pip found no torch==2.13.0"),
        ("ERROR: something else", "could not install"),
    ],
)
def test_failures_of_pip_are_put_in_plain_words(place, log, words):
    assert words in setup_env.explain(log)


def test_requirements_pin_everything():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    assert lines[-1] == "-e ."
    for line in lines[:-1]:
        assert "==" in line, line
        assert not line.startswith(("nvidia-", "triton")), "only on some systems"
        assert "+" not in line.split("==")[1], "a local build of one system"


def test_make_alone_lists_the_commands():
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for command in ("book", "test", "lab", "notebooks", "lint", "clean", "help"):
        assert f"make {command} " in run.stdout


# ----------------------------------------------------------------------------- the extension


def test_no_address_no_buttons():
    options = unrolled.theme_options("")
    assert not options["use_repository_button"] and not options["launch_buttons"]


@pytest.mark.parametrize("address", ["https://github.com/a/b", "https://github.com/a/b.git/"])
def test_address_gives_buttons(address):
    options = unrolled.theme_options(address)
    assert options["repository_url"] == "https://github.com/a/b"
    assert set(options["launch_buttons"]) >= {"binderhub_url", "colab_url"}


@pytest.mark.parametrize("address", ["a/b", "http://github.com/a/b", "https://github.com/a"])
def test_bad_address_is_refused(address):
    with pytest.raises(unrolled.ConfigError, match="should look like https:"):
        unrolled.theme_options(address)


def test_solutions_are_labelled():
    class App:
        class env:
            @staticmethod
            def doc2path(docname):
                return docname + ".ipynb"

    cell = {"cell_type": "code", "metadata": {"tags": ["hide-cell", "solution"]}}
    source = [json.dumps({"cells": [cell]})]
    unrolled.label_solutions(App, "chapters/01", source)
    (labelled,) = json.loads(source[0])["cells"]
    assert labelled["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"
