"""The tools behind the commands: set-up, execution of notebooks, the environment of both."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "_ext")]

import address  # noqa: E402 (tools/ is no package)
import alone  # noqa: E402
import clean_env  # noqa: E402
import first_cell  # noqa: E402
import notebooks  # noqa: E402
import pin  # noqa: E402
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


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (result("<svg/>", "image/svg+xml"), "1 picture"),
        (result("<b>x</b>", "text/html"), "1 HTML output"),
        (result("2"), "1 result"),
        (stream("2\n"), "1 printed text"),
    ],
)
def test_a_run_that_would_lose_an_output_is_refused(tmp_path, capsys, output, words):
    path = tmp_path / "page.ipynb"
    before = stored(path, code("print('kept')", stream("old\n")), code("None", output))
    assert notebooks.main([str(path)]) == 1
    assert path.read_text(encoding="utf-8") == before
    printed = capsys.readouterr()
    said = f"page.ipynb: cell 1 ('None'): shows less than is stored, by {words}"
    assert said in printed.out and said in printed.err
    assert "left as it was" in printed.out
    assert notebooks.main(["--accept-losses", str(path)]) == 0
    assert "kept" in path.read_text(encoding="utf-8")
    assert nbformat.read(path, as_version=4).cells[1].outputs == []


def test_an_edited_cell_may_show_less(tmp_path):
    path = tmp_path / "page.ipynb"
    stored(path, code("1; None", result("1")))
    book = nbformat.read(path, as_version=4)
    book.cells[0].source = "None"
    nbformat.write(book, path)
    assert notebooks.main([str(path)]) == 0


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


# ----------------------------------------------------------------------------- environment

HOSTILE = {
    "MPLBACKEND": "Agg",
    "MATPLOTLIBRC": "hostile",
    "IPYTHONDIR": "hostile",
    "PYTHONPATH": "hostile",
    "PYTHONSTARTUP": "hostile/startup/00.py",
    "PYTHONUTF8": "0",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONHASHSEED": "1",
    "OMP_NUM_THREADS": "7",
    "TQDM_DISABLE": "1",
    "NUMBA_DISABLE_JIT": "1",
    "LC_ALL": "C",
}


@pytest.fixture
def hostile(tmp_path):
    """A folder with an umlaut, and an environment whose every variable would change a run."""
    place = tmp_path / "Übung"
    startup = place / "hostile" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("print('the startup file of the user')")
    (place / "hostile" / "matplotlibrc").write_text("figure.figsize: 1, 1\nsavefig.dpi: 5\n")
    for module in ("rnnlib", "sitecustomize", "matplotlib"):
        (place / "hostile" / f"{module}.py").write_text(
            "raise SystemExit('the module of the user')"
        )
    paths = {k: str(place / v) for k, v in HOSTILE.items() if v.startswith("hostile")}
    paths["MPLCONFIGDIR"] = paths["MATPLOTLIBRC"]  # it stays, for the cache that is kept there
    return place, os.environ | HOSTILE | paths


def test_the_clean_environment_keeps_what_it_should():
    kept = {"PATH": "p", "PIP_INDEX_URL": "i", "RNNLIB_DEVICE": "cuda", "NUMBA_CACHE_DIR": "c"}
    cleaned = clean_env.clean(HOSTILE | kept)
    assert cleaned == kept | {"LC_ALL": "C"} | clean_env.SET


def test_nothing_of_the_users_environment_reaches_a_command(hostile):
    place, environment = hostile
    source = (
        "import matplotlib, rnnlib, sys; assert sys.flags.utf8_mode; print('Größe', sys.argv[1])"
    )
    command = [sys.executable, "-E", "-s", str(ROOT / "tools" / "clean_env.py"), "-c", source, "ü"]
    run = subprocess.run(command, cwd=place, env=environment, capture_output=True)
    assert run.stdout.decode() == f"Größe ü{os.linesep}", run.stderr.decode()


def test_everything_make_runs_is_run_in_it():
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    runs = [line for line in lines if line.startswith("\t@") and "PYTHON)" in line]
    assert runs and all("command -v" in line or "-E -s tools/clean_env.py" in line for line in runs)
    (venv,) = [line for line in lines if line.startswith("VENV :=")]
    assert venv == "VENV := .venv/bin/python -E -s tools/clean_env.py"
    assert sum(".venv/bin/python" in line for line in lines) == 1


PAGE = [
    """import matplotlib.pyplot as plt
from rnnlib.page import use_book_style
use_book_style()
plt.plot([1, 2])
plt.show()""",
    "print('Größe', plt.rcParams['figure.figsize'], plt.rcParams['savefig.dpi'])",
    "import os, torch\nassert os.environ['PYTHONHASHSEED'] == '0' and torch.get_num_threads() == 1",
    "open('ä.txt', 'w').write('ö')",
]


def test_nothing_of_the_users_environment_reaches_a_page(hostile, tmp_path):
    place, environment = hostile
    friendly, bad = tmp_path / "page.ipynb", place / "page.ipynb"
    for path in (friendly, bad):
        stored(path, *map(code, PAGE))
    tool = [sys.executable, "-E", "-s", str(ROOT / "tools" / "notebooks.py")]
    subprocess.run([*tool, str(friendly)], cwd=tmp_path, check=True)
    subprocess.run([*tool, str(bad)], cwd=place, env=environment, check=True)
    assert bad.read_text(encoding="utf-8") == friendly.read_text(encoding="utf-8")
    assert "image/svg+xml" in bad.read_text(encoding="utf-8")

    # The same through nbval, started without make.
    environment = environment | {"PYTHONPATH": str(ROOT)}
    del environment["PYTHONWARNINGS"], environment["PYTHONOPTIMIZE"]  # they reach pytest itself
    options = ["--nbval", "--nbval-current-env", "-c", os.devnull, "--rootdir", str(place)]
    command = [sys.executable, "-m", "pytest", "-p", "conftest", *options, "--color=no", str(bad)]
    run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert "4 passed" in run.stdout, run.stdout


def test_importing_rnnlib_in_a_notebook_warns_of_nothing(tmp_path):
    source = """import importlib, pkgutil, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import rnnlib
    for module in pkgutil.walk_packages(rnnlib.__path__, "rnnlib."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
assert not caught, caught[0].message"""
    notebooks.execute(notebook(code(source)), tmp_path, "warnings")


# ----------------------------------------------------------------------------- set-up


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with requirements and a healthy .venv that set-up takes for its own."""
    if os.name == "nt":
        pytest.skip("set-up is what make calls, which Windows has not")
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


@pytest.mark.parametrize("tool", ["setup_env", "clean_env"])
def test_set_up_can_be_read_by_old_pythons(tool):
    source = (ROOT / "tools" / f"{tool}.py").read_text(encoding="ascii")
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


@pytest.fixture
def calls(place, monkeypatch):
    """What set-up tells pip, on Linux without a GPU and with no settings for pip."""
    (place / "requirements.txt").write_text("torch==2.0\ntorchvision==1\none==1\n")
    calls = []
    monkeypatch.setattr(setup_env, "pip", lambda arguments, total: calls.append(arguments))
    monkeypatch.setattr(setup_env.sys, "platform", "linux")
    monkeypatch.setattr(setup_env, "WSL_SMI", str(place / "absent"))
    monkeypatch.setenv("PATH", str(place))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return calls


REST = ["-r", "requirements.txt"]


def test_without_a_gpu_pytorch_comes_for_the_cpu(calls):
    setup_env.pip_install()
    assert calls == [["--no-deps", "--index-url", setup_env.CPU_BUILD, "torch==2.0"], REST]


@pytest.mark.parametrize(
    ("printed", "status", "alone"),
    [
        ("GPU 0: NVIDIA H100 (UUID: GPU-1)", 0, True),
        ("No devices were found", 6, False),
        ("", 0, False),
    ],
)
def test_a_gpu_is_what_nvidia_smi_lists(calls, place, printed, status, alone):
    smi = place / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\necho '{printed}'\nexit {status}\n")
    smi.chmod(0o755)
    setup_env.pip_install()
    assert (calls == [REST]) == alone


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_have_one_build(calls, monkeypatch, system):
    monkeypatch.setattr(setup_env.sys, "platform", system)
    setup_env.pip_install()
    assert calls == [REST]


@pytest.mark.parametrize("name", ["INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX"])
def test_an_environment_that_names_its_own_index_is_left_alone(calls, monkeypatch, name):
    monkeypatch.setenv(f"PIP_{name}", "1")
    setup_env.pip_install()
    assert calls == [REST]


def test_a_configuration_that_names_its_own_wheels_is_left_alone(calls, place, monkeypatch):
    (place / "pip.conf").write_text("[install]\nfind-links = /wheels\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(place / "pip.conf"))
    setup_env.pip_install()
    assert calls == [REST]


def test_a_configuration_of_other_things_is_not(calls, place, monkeypatch):
    (place / "pip.conf").write_text("[global]\ntimeout = 60\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(place / "pip.conf"))
    setup_env.pip_install()
    assert len(calls) == 2


def test_where_the_cpu_build_cannot_be_had_the_default_serves(calls, monkeypatch, capsys):
    def refuse(arguments, total):
        calls.append(arguments)
        if "--index-url" in arguments:
            raise setup_env.SetupError("no such place\n\nthe log")

    monkeypatch.setattr(setup_env, "pip", refuse)
    setup_env.pip_install()
    assert calls[-1] == REST
    assert "the default build will do" in capsys.readouterr().out


def test_interrupted_install_leaves_its_mark(place, monkeypatch, capsys):
    (place / "requirements.txt").write_text("two==2\n")

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(setup_env, "pip_install", interrupted)
    assert setup_env.main([]) == 130
    assert "Run the same command again" in capsys.readouterr().out
    assert setup_env.fault_of_venv(False) == "the last set-up did not finish"


@pytest.fixture
def passes(place):
    """An rnnlib whose passes leave a file behind when they are compiled."""
    main = place / "rnnlib" / "bptt" / "__main__.py"
    main.parent.mkdir(parents=True)
    main.write_text("open('compiled', 'w').close()")
    return main


def test_set_up_compiles_the_passes(place, passes):
    setup_env.compile_passes()
    assert (place / "compiled").exists()


def test_set_up_fails_where_compiling_fails(passes, capfd):
    passes.write_text("raise SystemExit('no compiler')")
    with pytest.raises(setup_env.SetupError, match="Compiling rnnlib's passes failed"):
        setup_env.compile_passes()
    assert "no compiler" in capfd.readouterr().err


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


def test_the_range_of_pythons_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    named = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if prefix in line]
    assert project["requires-python"] == f">={named[0]}"
    assert setup_env.dotted(setup_env.OLDEST) == named[0]
    assert setup_env.dotted(setup_env.NEWEST) == named[-1]
    assert (pin.OLDEST, pin.NEWEST) == (f"{named[0]}.0", f"{named[-1]}.0")
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert f"python: {json.dumps(named)}" in workflow


def test_every_range_has_a_floor_and_holds_its_pin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = {one.name: str(one.specifier)[2:] for one in pin.direct_requirements(text)}
    ranges = project["dependencies"] + project["optional-dependencies"]["fast"]
    for wanted in map(pin.Requirement, ranges):
        assert str(wanted.specifier).startswith(">=")
        assert wanted.specifier.contains(pins[wanted.name])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no make")
def test_make_alone_lists_every_command_with_what_it_does():
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^([a-z]+):.*## +(.*)", makefile, re.MULTILINE)
    assert {"book", "test", "lab", "lint"} < {name for name, _ in commands}
    for name, does in commands:
        assert re.search(rf"^  make {name} +{re.escape(does)}$", run.stdout, re.MULTILINE)


def how_to_run(path: str) -> list[str]:
    """Return the lines of code, and the paragraphs, under "How to run it"."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".ipynb"):
        text = "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
    section = re.search(r"^## How to run it\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)[1]
    parts = re.split(r"^```.*\n", section, flags=re.MULTILINE)
    prose = [" ".join(one.split()) for part in parts[::2] for one in part.split("\n\n")]
    return [one for one in prose if one] + [
        line for part in parts[1::2] for line in part.split("\n")
    ]


def test_readme_and_front_page_say_the_same_of_how_to_run_it():
    said = how_to_run("README.md")
    assert said == how_to_run("chapters/index.ipynb")
    assert "make book   # set up .venv, build the book, say which file to open" in said


def test_readme_and_front_page_list_the_same_chapters():
    index = nbformat.read(ROOT / "chapters" / "index.ipynb", as_version=4)
    front = "\n".join(cell.source for cell in index.cells)
    rows = re.findall(r"^\| \d+ \| .*", front, re.MULTILINE)
    assert len(rows) >= 16
    linked = [re.sub(r"{doc}`(.+) <(\w+)>`", r"[\1](chapters/\2.ipynb)", row) for row in rows]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \d+ \| .*", text, re.MULTILINE) == linked


def test_no_file_holds_a_placeholder_for_the_repository():
    for path in ("README.md", "chapters/index.ipynb", "pyproject.toml", *map(str, WORKFLOWS)):
        assert "OWNER" not in (ROOT / path).read_text(encoding="utf-8"), path


# ----------------------------------------------------------------------------- the extension


def test_no_address_no_buttons():
    options = unrolled.theme_options("")
    assert not options["use_repository_button"] and not options["launch_buttons"]


@pytest.mark.parametrize("address", ["https://github.com/a/b", " https://github.com/a/b.git/"])
def test_address_gives_buttons(monkeypatch, address):
    monkeypatch.setenv(unrolled.VARIABLE, address)
    options = unrolled.theme_options(unrolled.repository())
    assert options["repository_url"] == "https://github.com/a/b"
    assert set(options["launch_buttons"]) >= {"binderhub_url", "colab_url"}


def test_colab_has_a_button_only_where_what_it_opens_can_run():
    options = unrolled.theme_options("https://github.com/a/b", colab=False)
    assert set(options["launch_buttons"]) == {"notebook_interface", "binderhub_url"}


@pytest.mark.parametrize("address", ["a/b", "http://github.com/a/b", "https://github.com/a"])
def test_bad_address_is_refused(monkeypatch, address):
    monkeypatch.setenv(unrolled.VARIABLE, address)
    with pytest.raises(unrolled.ConfigError, match="should look like https:"):
        unrolled.repository()


def test_the_address_is_the_one_in_pyproject_unless_the_environment_names_one(
    monkeypatch, tmp_path
):
    monkeypatch.delenv(unrolled.VARIABLE, raising=False)
    monkeypatch.setattr(address, "PYPROJECT", tmp_path / "pyproject.toml")
    address.PYPROJECT.write_text("[project]\n")
    assert unrolled.repository() == ""
    address.PYPROJECT.write_text('[project.urls]\nRepository = "https://github.com/a/b"\n')
    assert unrolled.repository() == "https://github.com/a/b"
    monkeypatch.setenv(unrolled.VARIABLE, "https://github.com/fork/b")
    assert unrolled.repository() == "https://github.com/fork/b"


class App:
    """As much of Sphinx as the extension's listeners ask for."""

    class env:
        @staticmethod
        def doc2path(docname):
            return docname + ".ipynb"


def test_folds_say_what_they_hold():
    cells = [
        {"cell_type": "code", "metadata": {"tags": ["hide-cell", "solution"]}},
        {"cell_type": "code", "metadata": {"tags": ["hide-input"]}},
    ]
    source = [json.dumps({"cells": cells})]
    unrolled.label_folds(App, "chapters/01", source)
    labelled, other = json.loads(source[0])["cells"]
    assert labelled["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"
    assert "mystnb" not in other["metadata"]


def test_of_a_doi_the_link_check_asks_whether_it_is_registered():
    asked = "https://doi.org/api/handles/10.1162/neco.1997.9.8.1735"
    assert unrolled.ask_the_registry(App, "https://doi.org/10.1162/neco.1997.9.8.1735") == asked
    assert unrolled.ask_the_registry(App, "https://example.org/doi.org/") is None


# ----------------------------------------------------------------------------- chapters alone


def test_a_chapter_alone_is_compared_in_a_folder_of_its_own(tmp_path):
    look = "import os; print(os.listdir())"
    words = {}
    for name, shown in (("page", "['page.ipynb']"), ("other", "['page.ipynb', 'helper.py']")):
        stored(path := tmp_path / "page.ipynb", code(look, stream(shown + "\n")))
        words[name], said = alone.run_chapter(Path(sys.executable), ROOT, path)
        assert look in said or name == "page"
    assert re.fullmatch(r"1 ok, \d+ s", words["page"])
    assert words["other"] == "✗ 1 failed"


def test_what_alone_runs_the_tests_with_is_pinned_and_what_it_leaves_out_is_there():
    names = alone.RUNNERS + alone.TESTERS
    assert [pin.partition("==")[0] for pin in alone.pinned(names)] == list(names)
    assert [n for n in alone.PINNED_ALONE if not (ROOT / "tests" / n).is_file()] == []


def test_an_rnnlib_that_is_not_the_wheels_is_refused(tmp_path):
    alone.check_origin(Path(sys.executable), ROOT)
    with pytest.raises(alone.AloneError, match="should come from the wheel"):
        alone.check_origin(Path(sys.executable), tmp_path)


def test_what_uv_says_of_a_failure_is_told():
    with pytest.raises(alone.AloneError, match=r"uv venv --nonsense failed:\n.*--nonsense"):
        alone.uv("venv", "--nonsense")


# ----------------------------------------------------------------------------- the first cell


def page(address=""):
    cells = [nbformat.v4.new_markdown_cell("# Title"), code("import rnnlib")]
    return first_cell.with_first_cell(notebook(*cells), address)


def test_the_first_cell_is_written_once():
    once = page()
    assert [cell.source for cell in once.cells] == [
        "# Title",
        first_cell.source(""),
        "import rnnlib",
    ]
    assert [cell.get("execution_count") for cell in once.cells] == [None, 1, 2]
    assert first_cell.with_first_cell(once, "") == once
    assert first_cell.with_first_cell(page("https://github.com/a/b"), "") == once


def test_a_published_page_and_its_download_know_the_address(monkeypatch, tmp_path):
    text = notebooks.as_text(page())
    monkeypatch.setattr(unrolled, "known_address", lambda: "")
    monkeypatch.delenv(unrolled.VARIABLE, raising=False)
    assert unrolled.with_address(text) == text
    monkeypatch.setenv(unrolled.VARIABLE, "https://github.com/a/b")
    expected = notebooks.as_text(page("https://github.com/a/b"))
    read = [text]
    unrolled.address_pages(App, "chapters/01", read)
    (tmp_path / "_sources").mkdir()
    download = tmp_path / "_sources" / "01.ipynb"
    download.write_text(text, encoding="utf-8")
    App.outdir = tmp_path
    unrolled.address_downloads(App, None)
    for one in (read[0], download.read_text(encoding="utf-8")):
        sources = [cell.source for cell in nbformat.reads(one, as_version=4).cells]
        assert sources == [cell.source for cell in nbformat.reads(expected, as_version=4).cells]


REPOSITORY = "https://github.com/a/b"
GETS = f"unrolled-rnnlib[fast] @ {REPOSITORY}/archive/HEAD.zip"


def new_shell(monkeypatch):
    """Return a shell of IPython, which puts a module of its own in the place of __main__."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    return InteractiveShell()


def run_first_cell(monkeypatch, address, **environment):
    """Run the cell where rnnlib.bptt is not imported yet; return what pip was asked for."""
    asked = []
    monkeypatch.delitem(sys.modules, "rnnlib.bptt", raising=False)
    for name in ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shell = new_shell(monkeypatch)
    shell.register_magic_function(asked.append, magic_name="pip")
    result = shell.run_cell(first_cell.source(address), silent=True)
    result.raise_error()
    return asked


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.delitem(sys.modules, "rnnlib", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Nothing, *sys.meta_path])


class Nothing:
    """Finds no rnnlib anywhere."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "rnnlib":
            raise ModuleNotFoundError("No module named 'rnnlib'", name="rnnlib")


@pytest.mark.parametrize("host", ["COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"])
def test_the_first_cell_fetches_rnnlib_on_a_host(monkeypatch, missing, host):
    assert run_first_cell(monkeypatch, REPOSITORY, **{host: "1"}) == [f'install -q "{GETS}"']


def test_the_first_cell_says_what_to_do_on_a_laptop(monkeypatch, missing):
    with pytest.raises(ImportError) as error:
        run_first_cell(monkeypatch, REPOSITORY)
    assert (
        str(error.value) == f"No module named 'rnnlib'. Run `%pip install \"{GETS}\"`, and restart."
    )


def test_the_first_cell_names_what_keeps_an_installed_rnnlib_from_being_imported(
    monkeypatch, tmp_path
):
    (tmp_path / "rnnlib").mkdir()
    (tmp_path / "rnnlib" / "__init__.py").write_text("raise ImportError('DLL load failed')")
    monkeypatch.delitem(sys.modules, "rnnlib", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="DLL load failed"):
        run_first_cell(monkeypatch, REPOSITORY)


@pytest.mark.parametrize("environment", [{}, {"COLAB_RELEASE_TAG": "1"}])
def test_the_first_cell_asks_for_an_address_where_it_has_none(monkeypatch, missing, environment):
    with pytest.raises(ImportError, match="Write the course's address above"):
        run_first_cell(monkeypatch, "", **environment)


def test_the_first_cell_is_not_taken_in_by_another_rnnlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "rnnlib", types.ModuleType("rnnlib"))
    with pytest.raises(ImportError, match="Uninstall the other package called rnnlib"):
        run_first_cell(monkeypatch, REPOSITORY, COLAB_RELEASE_TAG="1")


def test_the_first_cell_is_quiet_where_rnnlib_is_there(monkeypatch, capsys):
    result = new_shell(monkeypatch).run_cell(first_cell.source(REPOSITORY))
    result.raise_error()
    assert capsys.readouterr() == ("", "")
