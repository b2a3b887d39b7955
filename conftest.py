"""How nbval runs the chapters and compares them, and the table of times it ends with."""

import sys
from collections import defaultdict
from pathlib import Path

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

sys.path.insert(0, str(Path(__file__).parent / "tools"))

import clean_env
from comparison import Printed

# Before anything imports torch or matplotlib, and before a kernel starts.
clean_env.enter()

# Seconds in which a chapter should run on two cores. A slow machine only gets a remark; what stops
# a runaway cell is --nbval-cell-timeout in the Makefile.
BUDGET = 30

# What nbval does not compare, besides PNG and JPEG: pictures, because font versions change them
# (the numbers they show are printed or asserted), and stderr, which is progress bars and warnings.
NOT_COMPARED = ("image/svg+xml", "stderr")

seconds: dict[str, float] = defaultdict(float)


# Run in each kernel before its first cell: a failing assert says what it compared.
EXPLAIN_ASSERTS = "import ipytest; ipytest.config(rewrite_asserts=True, magics=False)"


def start_kernel(self: RunningKernel, *args: object, **options: object) -> None:
    """Start a kernel, and have pytest's asserts in it."""
    started(self, *args, **options)
    self.kc.execute(EXPLAIN_ASSERTS, silent=True)


started = RunningKernel.__init__


def execute_like_jupyter(self: RunningKernel, source: str, allow_stdin: bool | None = None) -> str:
    """Run a cell as Jupyter does: with history, without which a final semicolon hides nothing."""
    return self.kc.execute(source, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)


def to_compare(self: IPyNbCell, output: object) -> object:
    """Give a text that nbval is about to compare our notion of equality."""
    return Printed(output) if isinstance(output, str) else output


def pytest_configure(config: pytest.Config) -> None:
    """Put the functions above in the place of nbval's."""
    RunningKernel.__init__ = start_kernel
    RunningKernel.execute_cell_input = execute_like_jupyter
    IPyNbCell.sanitize = to_compare


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tell nbval, as it asks for, which kinds of output not to compare."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += NOT_COMPARED


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what follows a cell that took too long; nbval would run it and expect it to fail."""
    if getattr(item.parent, "timed_out", False):
        pytest.skip("an earlier cell of this chapter took too long")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up the time of a chapter's cells and of its kernel's start."""
    path = report.nodeid.split("::")[0]
    if path.endswith(".ipynb"):
        seconds[Path(path).stem] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each chapter took."""
    if not seconds:
        return
    terminalreporter.section("seconds per chapter")
    for name, taken in seconds.items():
        remark = f"  over the {BUDGET} s that a chapter should take" if taken > BUDGET else ""
        terminalreporter.write_line(f"{taken:7.1f}  {name}{remark}")
    terminalreporter.write_line(f"{sum(seconds.values()):7.1f}  together")
