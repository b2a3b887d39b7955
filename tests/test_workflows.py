"""The workflows: what may publish, with which rights, from whose code; and that it exists."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import alone  # noqa: E402 (tools/ is no package)
import clean_env  # noqa: E402

TEXTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))
}
# YAML 1.1 takes the key `on` for true.
WORKFLOWS = {
    name: {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}
    for name, text in TEXTS.items()
}
JOBS = [
    pytest.param(job, id=f"{name}-{key}")
    for name, workflow in WORKFLOWS.items()
    for key, job in workflow["jobs"].items()
]
each_workflow = pytest.mark.parametrize("name", WORKFLOWS)
each_job = pytest.mark.parametrize("job", JOBS)


def steps(job):
    return job.get("steps", [])


def commands(job):
    """Return the lines of shell that a job runs."""
    return [line for step in steps(job) for line in step.get("run", "").splitlines()]


# ----------------------------------------------------------------------------- what may publish


def test_publishing_waits_for_the_tests_and_for_a_build_of_the_books_own_branch():
    jobs = WORKFLOWS["publish"]["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    assert jobs["build"]["needs"] == "test" and jobs["deploy"]["needs"] == "build"
    # A job whose condition asks no status is skipped where one that it needs has failed.
    assert jobs["build"]["if"] == (
        "!github.event.repository.fork && github.ref_name == github.event.repository.default_branch"
    )
    assert "if" not in jobs["test"] | jobs["deploy"]
    assert "workflow_call" in WORKFLOWS["test"]["on"]


def test_only_the_deployment_may_write_and_it_runs_nothing_of_ours():
    for name, workflow in WORKFLOWS.items():
        assert workflow["permissions"] == {}
        for key, job in workflow["jobs"].items():
            if (name, key) != ("publish", "deploy"):
                assert job["permissions"] == {"contents": "read"}, f"{name}: {key}"
    deploy = WORKFLOWS["publish"]["jobs"]["deploy"]
    assert deploy["permissions"] == {"pages": "write", "id-token": "write"}
    assert [step["uses"].split("@")[0] for step in steps(deploy)] == ["actions/deploy-pages"]


def test_what_is_published_comes_from_no_cache():
    for step in steps(WORKFLOWS["publish"]["jobs"]["build"]):
        assert "cache" not in step.get("with", {})


@each_workflow
def test_forks_need_nothing_that_they_have_not(name):
    assert "secrets." not in TEXTS[name] and "secrets:" not in TEXTS[name]
    # These two run a stranger's change with the rights of the repository.
    assert not {"pull_request_target", "workflow_run"} & set(WORKFLOWS[name]["on"])


# ----------------------------------------------------------------------------- how it is run


def test_every_action_is_pinned_to_a_commit_the_same_everywhere_and_says_its_version():
    pins = {}
    for name, text in TEXTS.items():
        for line in re.findall(r"^.*\buses: .*$", text, re.MULTILINE):
            if "uses: ./" in line:
                continue
            pin = re.search(r"uses: ([\w/-]+)@([0-9a-f]{40})  # (v\d+\.\d+\.\d+)$", line)
            assert pin, f"{name}: {line.strip()}"
            pins.setdefault(pin[1], set()).add(pin.groups()[1:])
    assert pins and all(len(found) == 1 for found in pins.values()), pins


@each_job
def test_no_checkout_leaves_a_token_behind(job):
    for step in steps(job):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@each_job
def test_every_job_has_an_end(job):
    assert job.get("uses") or 0 < job["timeout-minutes"] <= 60


@each_workflow
def test_every_workflow_says_what_it_does_when_it_runs_twice_at_once(name):
    concurrency = WORKFLOWS[name]["concurrency"]
    assert concurrency["cancel-in-progress"] == (name != "publish")
    groups = {workflow["concurrency"]["group"].split("-")[0] for workflow in WORKFLOWS.values()}
    assert len(groups) == len(WORKFLOWS), "one would wait for, or end, the other"


@each_job
def test_what_a_job_calls_is_there(job):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for line in commands(job):
        first, *rest = shlex.split(line)
        if first == "make":
            assert re.search(rf"^{rest[0]}:.*## ", makefile, re.MULTILINE), line
        elif first == "python" and rest[0].endswith(".py"):
            assert (ROOT / rest[0]).is_file(), line
            for option in re.findall(r"--[a-z]+", line):
                assert f'"{option}"' in (ROOT / rest[0]).read_text(encoding="utf-8"), line
        elif first.startswith("."):
            assert first == "." or (ROOT / first).is_file(), line


# ----------------------------------------------------------------------------- on what


def test_the_readmes_lines_without_make_are_what_windows_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("Without make")[1].split("```")[1]
    told = [line.partition(" #")[0].rstrip() for line in section.splitlines()[1:]]
    windows = {"python3": "python", ".venv/bin/": ".venv/Scripts/"}
    for here, there in windows.items():
        told = [line.replace(here, there) for line in told]
    told.remove("python tools/desk.py")  # it waits for a reader
    assert commands(WORKFLOWS["test"]["jobs"]["without-make"]) == told


def test_both_ends_of_the_ranges_are_tested_on_three_systems_and_new_releases_weekly():
    ranges = WORKFLOWS["test"]["jobs"]["ranges"]["strategy"]["matrix"]
    assert {system.split("-")[0] for system in ranges["system"]} == {"ubuntu", "macos", "windows"}
    weekly = WORKFLOWS["weekly"]
    assert weekly["on"]["schedule"]
    ends = weekly["jobs"]["versions"]["strategy"]["matrix"]["end"]
    assert set(ranges["end"]) | set(ends) == set(alone.ENDS)


def test_the_oldest_python_has_the_oldest_versions():
    matrix = WORKFLOWS["test"]["jobs"]["ranges"]["strategy"]["matrix"]
    pythons = WORKFLOWS["test"]["jobs"]["commands"]["strategy"]["matrix"]["python"]
    assert {row["end"]: row["python"] for row in matrix["include"]} == {
        "oldest": pythons[0],
        "newest": pythons[-1],
    }


def test_another_arithmetic_reaches_the_chapters():
    job = WORKFLOWS["weekly"]["jobs"]["arithmetic"]
    assert job["env"].items() <= clean_env.clean(job["env"]).items()
    chapters = "pytest --nbval --nbval-current-env --nbval-cell-timeout 120 chapters"
    assert chapters in commands(job)
    assert chapters in commands(WORKFLOWS["test"]["jobs"]["without-make"])


def test_a_pull_request_shows_the_book_that_it_would_make():
    uploads = [
        step
        for step in steps(WORKFLOWS["test"]["jobs"]["commands"])
        if step.get("uses", "").startswith("actions/upload-artifact@")
    ]
    (upload,) = uploads
    assert upload["with"]["path"] == "_build/html"
    assert "pull_request" in WORKFLOWS["test"]["on"]


def test_what_the_pins_alone_bring_is_not_imported_by_the_tests_of_the_ranges():
    """What a wheel in a new environment has: what it asks for, and alone's runners."""
    wheel = {"matplotlib", "numba", "llvmlite", "numpy", "pooch", "requests", "sklearn", "torch"}
    runners = {"IPython", "ipytest", "matplotlib_inline", "nbformat", "nbval", "pytest", "quickjs"}
    ours = {path.stem for folder in ("tests", "tools") for path in (ROOT / folder).glob("*.py")}
    ours |= {"benchmarks", "rnnlib", "studies"}
    allowed = set(sys.stdlib_module_names) | wheel | runners | ours
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.name in alone.PINNED_ALONE or path.parent.name == "browser":  # a command of its own
            continue
        text = path.read_text(encoding="utf-8")
        found = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
        assert found <= allowed, f"{path.name}: add it to PINNED_ALONE in tools/alone.py"


# ----------------------------------------------------------------------------- linters


def zizmor(folder):
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--pedantic", "--format=json"]
    run = subprocess.run([*command, folder], capture_output=True, text=True, encoding="utf-8")
    assert run.returncode in (0, 11, 12, 13, 14), run.stderr
    return {finding["ident"] for finding in json.loads(run.stdout)}


def test_zizmor_finds_nothing_and_would_find_something(tmp_path):
    assert zizmor(ROOT / ".github") == set()
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    text = TEXTS["publish"].replace("persist-credentials: false", "fetch-depth: 1")
    (folder / "publish.yml").write_text(re.sub(r"@\w{40}", "@v1", text), encoding="utf-8")
    assert {"unpinned-uses", "artipacked"} <= zizmor(tmp_path / ".github")
