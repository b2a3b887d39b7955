"""The environment in which everything here runs, whatever the user's own holds.

::

    python -E -s tools/clean_env.py -m pytest tests    # python -m pytest tests, in it

The Makefile runs everything this way. `conftest.py` and `tools/notebooks.py` enter it by themselves
as well, for those who call them without make. Old Pythons can read this file: it also starts
`tools/setup_env.py`, which tells their users what is needed.
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

TOOLS = os.path.dirname(os.path.abspath(__file__))

# How the names begin of what would change Python, IPython, matplotlib, tqdm, numba or the number of
# threads, or where programs break their lines. What is about pip, proxies, devices or caches stays,
# and so does the locale, which Python does not ask in UTF-8 mode.
REMOVED = ("PYTHON", "IPYTHONDIR", "MPLBACKEND", "MATPLOTLIBRC", "TQDM_", "NUMBA_")
REMOVED += ("MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "COLUMNS", "LINES")
KEPT = ("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "PYTHON_KEYRING_BACKEND")

SET = {
    # One thread. On a machine whose other cores are busy, torch's default of one thread per core
    # makes networks as small as ours several times slower, and results must not depend on it.
    "OMP_NUM_THREADS": "1",
    # The order of sets and dictionaries, the same in every run.
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    # Files, paths and output are UTF-8, also where the locale is ASCII's.
    "PYTHONUTF8": "1",
    # An empty file; without one, matplotlib would read the user's.
    "MATPLOTLIBRC": os.path.join(TOOLS, "matplotlibrc"),
}


def clean(environment):
    """Return a copy of ``environment`` without what the user has set for other work."""
    kept = {k: v for k, v in environment.items() if k in KEPT or not k.startswith(REMOVED)}
    kept.update(SET)
    return kept


def enter():
    """Change this process's environment, which kernels inherit, to the clean one.

    Kernels also get an empty IPython folder, removed when this process ends, in place of the
    user's, whose settings and start-up files would run with every chapter.
    """
    cleaned = clean(os.environ)
    cleaned["RNNLIB_PROGRESS"] = ""  # the solutions that run here are nobody's progress
    cleaned["IPYTHONDIR"] = tempfile.mkdtemp(prefix="unrolled-ipython-")
    atexit.register(shutil.rmtree, cleaned["IPYTHONDIR"], ignore_errors=True)
    os.environ.clear()
    os.environ.update(cleaned)


if __name__ == "__main__":
    command = [sys.executable] + sys.argv[1:]
    if os.name == "nt":  # where exec would return to the shell at once, with status 0
        sys.exit(subprocess.call(command, env=clean(os.environ)))
    os.execve(sys.executable, command, clean(os.environ))
