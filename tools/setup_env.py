"""Make .venv and install requirements.txt into it, unless that has been done already.

``make book`` and ``make test`` call this first. It needs nothing but the standard library, and is
written so that old Pythons can read it, because it is what tells their users which one is needed.

What makes it safe to interrupt and to repeat:

- ``.venv/unrolled-stamp`` is written last, and says what was installed and where. While it is
  right, nothing is done.
- ``.venv/unrolled-unfinished`` exists while pip works. If it is found at the start, the last run
  was cut off, half a package may lie in .venv, and .venv is made afresh. pip keeps what it has
  downloaded, so that costs little.
- What is to go is renamed first: half a .venv is never taken for a whole one.
- One set-up works at a time. What it has started holds the lock with it: where set-up alone is
  killed, the next one waits until pip has ended.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OLDEST = (3, 11)
NEWEST = (3, 14)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
VENV_PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
STAMP = os.path.join(VENV, "unrolled-stamp")
UNFINISHED = os.path.join(VENV, "unrolled-unfinished")
LOG = os.path.join(VENV, "setup.log")
GOING = os.path.join(ROOT, ".venv.going")
REQUIREMENTS = os.path.join(ROOT, "requirements.txt")
PYPROJECT = os.path.join(ROOT, "pyproject.toml")
# PyTorch for the CPU alone. On Linux, the one on PyPI brings several gigabytes of CUDA libraries.
CPU_BUILD = "https://download.pytorch.org/whl/cpu"
WSL_SMI = "/usr/lib/wsl/lib/nvidia-smi"
SILENCE = 5.0  # seconds without a word from pip after which we say what is going on

NO_NETWORK = re.compile(
    "NewConnectionError|Failed to establish a new connection|Name or service not known"
    "|name resolution|Connection refused|Network is unreachable|ConnectTimeoutError"
    "|Read timed out|ReadTimeoutError|ProxyError|SSLError|Connection broken|RemoteDisconnected"
    "|Connection aborted|connection to .* failed|IncompleteRead",
    re.IGNORECASE,
)


class SetupError(Exception):
    """Something is missing; the message says what, and what to do."""


def say(text=""):
    """Print a line at once, also into a pipe."""
    print(text)
    sys.stdout.flush()


def dotted(version):
    """Return (3, 11, 7) as "3.11.7"."""
    return ".".join(str(part) for part in version)


def stamp_text(version, root=None):
    """Return what the stamp must hold for an environment of this Python version at this place."""
    digest = hashlib.sha256()
    for path in (REQUIREMENTS, PYPROJECT):
        with open(path, "rb") as file:
            digest.update(file.read())
        digest.update(b"\0")
    return "{}\npython {}\n{}\n".format(root or ROOT, dotted(version), digest.hexdigest())


def read(path):
    """Return a text file's content, or "" where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write(path, text):
    """Write a text file so that it is there whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def venv_version():
    """Return the version of .venv's Python as a triple, or None where it does not run."""
    try:
        output = subprocess.check_output(
            [VENV_PYTHON, "-c", "import sys; print(*sys.version_info[:3])"],
            stderr=subprocess.DEVNULL,
        )
        return tuple(int(part) for part in output.split())
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def runs(name):
    """Return whether a command of this name is there and can tell its version."""
    try:
        subprocess.check_output([name, "--version"], stderr=subprocess.STDOUT)
        return True
    except (OSError, subprocess.CalledProcessError):
        return False


def check_version(version=None, executable=None):
    """Raise `SetupError` where this Python is too old, naming newer ones if there are any."""
    version = tuple(version or sys.version_info[:3])
    if version >= OLDEST:
        return
    newer = ["python3.{}".format(minor) for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    installed = [name for name in newer if runs(name)]
    lines = [
        "Unrolled needs Python {} or newer; this is Python {} ({}).".format(
            dotted(OLDEST), dotted(version), executable or sys.executable
        )
    ]
    if installed:
        lines.append("A newer one is installed. Choose it with")
        lines.append("    make PYTHON={} book".format(installed[0]))
    else:
        lines.append("Install a newer one and choose it by its name, for instance")
        lines.append("    make PYTHON=python3.12 book")
    raise SetupError("\n".join(lines))


def check_modules():
    """Raise `SetupError` where this Python cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        raise SetupError(  # noqa: B904 (old Pythons must be able to read this file)
            "This Python ({}) cannot make a virtual environment: {}.\n"
            "On Debian and Ubuntu that is a package of its own:\n"
            "    sudo apt install python{}-venv".format(
                sys.executable, error, dotted(sys.version_info[:2])
            )
        )


def fault_of_venv(chosen):
    """Return why the existing .venv must be made afresh, or None where it can be used.

    ``chosen`` says that the user asked for the Python that runs this.
    """
    version = venv_version()
    if version is None:
        return "its Python does not run"
    if version < OLDEST:
        return "it has Python {}".format(dotted(version))
    if chosen and version[:2] != tuple(sys.version_info[:2]):
        return "it has Python {}, and {} was asked for".format(
            dotted(version[:2]), dotted(sys.version_info[:2])
        )
    if os.path.exists(UNFINISHED):
        return "the last set-up did not finish"
    stamp = read(STAMP)
    if stamp:
        if stamp.splitlines()[0] != ROOT:
            return "it was made in another folder ({})".format(stamp.splitlines()[0])
        if stamp.splitlines()[1:2] != ["python " + dotted(version)]:
            return "its Python has changed to {}".format(dotted(version))
    pip = os.path.join(BIN, "pip")
    if os.name != "nt" and BIN not in read(pip)[:500]:
        return "it has no pip of its own, or was made in another folder"
    return None


def remove_venv():
    """Remove .venv, whatever state it is in."""
    if os.path.islink(VENV):
        raise SetupError(".venv is a link to another place. Remove it, then run this again.")
    os.rename(VENV, GOING)
    remove_gone()


def remove_gone():
    """Remove what was put aside to be removed, if there is something."""
    if os.path.exists(GOING):
        shutil.rmtree(GOING)


def make_venv():
    """Make a new .venv with this Python."""
    check_version()
    check_modules()
    say("Making .venv with Python {} ({})".format(dotted(sys.version_info[:3]), sys.executable))
    # Not symlinked modules or system packages: the pins are all there is.
    code = subprocess.call([sys.executable, "-m", "venv", VENV], close_fds=False)
    if code != 0:
        raise SetupError(
            "Making the virtual environment failed (status {}). What Python said stands above.\n"
            "On Debian and Ubuntu, this may help: sudo apt install python{}-venv".format(
                code, dotted(sys.version_info[:2])
            )
        )


class Progress:
    """Turns what pip prints into a short account of where it is."""

    def __init__(self, total):
        self.total = total
        self.names = set()
        self.retries = 0
        self.state = "starting pip"
        self.started = time.time()
        self.last_word = time.time()
        self.tty = sys.stdout.isatty()
        self.lock = threading.Lock()

    def show(self, text, keep=False):
        """Show ``text``: over the last line on a terminal, as a new line in a pipe."""
        with self.lock:
            self.last_word = time.time()
            if self.tty:
                width = shutil.get_terminal_size().columns - 1
                sys.stdout.write("\r\x1b[K" + text[:width] + ("\n" if keep else ""))
            else:
                sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def line(self, line):
        """Take one line of pip's."""
        words = line.split()
        if not words:
            return
        collected = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line)
        if collected:
            name = collected.group(1).lower()
            if name not in self.names:
                self.names.add(name)
                self.state = "looking for " + name
                if words[0] == "Collecting":
                    self.show("  {:3d}/{} {}".format(len(self.names), self.total, name))
        elif words[0] == "Downloading" and len(words) > 1:
            self.state = "downloading " + words[1].rsplit("/", 1)[-1].split("#")[0]
            if "MB" in line or "GB" in line:
                self.show("          {} {}".format(self.state, " ".join(words[2:4])))
        elif words[0] == "Progress" and len(words) == 4:
            done, whole = int(words[1]), int(words[3] or 0)
            if whole > 2e7 and time.time() - self.last_word > 2:
                self.show("          {:.0f} of {:.0f} MB".format(done / 1e6, whole / 1e6))
        elif line.startswith("Installing collected packages"):
            count = line.count(",") + 1
            self.state = "unpacking {} package{}".format(count, "s" if count > 1 else "")
            self.show("  " + self.state, keep=True)
        elif "Retrying (" in line:
            self.retries += 1
            self.state = "waiting for the package index"
            self.show("  no answer from the package index; pip tries again", keep=True)

    def heartbeat(self):
        """Say that we are still at it, if nothing else has been said for a while."""
        if time.time() - self.last_word > SILENCE:
            self.show("  ... {} ({:.0f} s)".format(self.state, time.time() - self.started))


def explain(log):
    """Return in a sentence or two why pip failed, from what it printed."""
    if "No space left on device" in log:
        return "The disk is full."
    missing = re.search(r"No matching distribution found for (\S+)", log)
    if NO_NETWORK.search(log):
        return (
            "pip could not reach the package index: there is no network, or a proxy stands in\n"
            "between. Once you are online, run the same command again."
        )
    if missing:
        return (
            "pip found no {} for Python {} on this system. The pinned versions are there for\n"
            "Python {} to {}; choose one with make PYTHON=python{} book".format(
                missing.group(1),
                dotted(venv_version() or ()),
                dotted(OLDEST),
                dotted(NEWEST),
                dotted(NEWEST),
            )
        )
    return "pip could not install the requirements."


def has_nvidia_gpu():
    """Return whether NVIDIA's own tool lists a GPU."""
    for tool in ("nvidia-smi", WSL_SMI):
        try:
            if b"GPU " in subprocess.check_output([tool, "-L"], stderr=subprocess.DEVNULL):
                return True
        except (OSError, subprocess.CalledProcessError):
            pass
    return False


def names_own_source():
    """Return whether pip's settings or the environment say where packages are to come from."""
    settings = subprocess.check_output(
        [VENV_PYTHON, "-m", "pip", "config", "list"],
        stderr=subprocess.DEVNULL,
        universal_newlines=True,
    )
    return re.search(r"\.(index-url|extra-index-url|find-links|no-index)=", settings) is not None


def pip_install():
    """Install requirements.txt into .venv, showing how far it is; raise `SetupError` on failure."""
    pins = re.findall(r"^[\w.-]+==\S+", read(REQUIREMENTS), re.MULTILINE)
    torch = [pin for pin in pins if pin.startswith("torch==")]
    say("Installing {} pinned packages; pip's full account is in .venv/setup.log".format(len(pins)))
    with open(LOG, "w", encoding="utf-8"):  # the account of this run alone
        pass
    if torch and sys.platform == "linux" and not has_nvidia_gpu() and not names_own_source():
        say("There is no NVIDIA GPU: PyTorch's build for the CPU")
        try:
            pip(["--no-deps", "--index-url", CPU_BUILD] + torch, 1)
        except SetupError as error:
            say("It could not be had from {}; the default build will do.".format(CPU_BUILD))
            say(str(error).split("\n\n")[0])
    pip(["-r", "requirements.txt"], len(pins) + 1)  # and rnnlib


def pip(arguments, total):
    """Let pip install into .venv, showing which of how many packages; `SetupError` on failure."""
    progress = Progress(total)
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_USER="0")
    environment["PYTHONUNBUFFERED"] = "1"
    command = [VENV_PYTHON, "-m", "pip", "install", "--no-input"] + arguments
    version = subprocess.check_output([VENV_PYTHON, "-m", "pip", "--version"]).split()[1]
    if tuple(int(n) for n in re.findall(r"\d+", version.decode())[:2]) >= (24, 1):
        command.append("--progress-bar=raw")
    done = threading.Event()

    def beat():
        while not done.wait(0.5):
            progress.heartbeat()

    printed = []
    with open(LOG, "a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            close_fds=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            errors="replace",
        )
        thread = threading.Thread(target=beat)
        thread.daemon = True
        thread.start()
        try:
            for line in process.stdout:
                if not line.startswith("Progress "):
                    printed.append(line)
                    log.write(line)
                    log.flush()
                progress.line(line.strip())
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            done.set()
            thread.join()
    if code != 0:
        last = [line for line in printed if line.strip() and "Location '" not in line]
        raise SetupError(
            "{}\n\nThe last lines of .venv/setup.log:\n{}".format(
                explain("".join(printed)),
                "\n".join("    " + line.rstrip()[:200] for line in last[-8:]),
            )
        )
    if progress.tty:
        progress.show("", keep=False)


def compile_passes():
    """Let rnnlib compile its passes now, so that no reader waits for it in the middle of a page."""
    if subprocess.call([VENV_PYTHON, "-m", "rnnlib.bptt"], cwd=ROOT, close_fds=False) != 0:
        raise SetupError("Compiling rnnlib's passes failed; see the message above.")


def set_up(chosen):
    """Bring .venv up to date; ``chosen`` says that the user named the Python that runs this."""
    started = time.time()
    remove_gone()
    if os.path.lexists(VENV):
        fault = fault_of_venv(chosen)
        if fault is None and read(STAMP) == stamp_text(venv_version()):
            say("The environment in .venv is up to date.")
            return
        if fault is not None:
            # First the checks: where no new one can be made, the old one stays.
            check_version()
            check_modules()
            say(".venv cannot be used: {}. Making it afresh.".format(fault))
            remove_venv()
    if not os.path.lexists(VENV):
        make_venv()
    write(UNFINISHED, "pip is at work, or was cut off\n")
    if os.path.exists(STAMP):
        os.remove(STAMP)
    pip_install()
    say("Trying the new environment: import torch, rnnlib")
    if subprocess.call([VENV_PYTHON, "-c", "import torch, rnnlib"], cwd=ROOT) != 0:
        raise SetupError("The packages are installed but do not work; see the message above.")
    compile_passes()
    write(STAMP, stamp_text(venv_version()))
    os.remove(UNFINISHED)
    say("The environment is ready ({:.0f} s).".format(time.time() - started))


def terminated(signum, frame):
    """Let a polite request to end take the same way as Ctrl-C."""
    raise KeyboardInterrupt


def main(arguments=None):
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--chosen", action="store_true", help="the user named this Python")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, terminated)
    try:
        if sys.version_info < (3, 6):  # too old even to look at a .venv made by another
            check_version()
        with open(REQUIREMENTS, encoding="utf-8") as lock:
            if fcntl:
                os.set_inheritable(lock.fileno(), True)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    say("Another set-up is at work in this folder; waiting for it.")
                    fcntl.flock(lock, fcntl.LOCK_EX)
            set_up(options.chosen)
    except SetupError as error:
        say()
        say(str(error))
        return 1
    except OSError as error:
        say()
        say("Setting up failed: {}".format(error))
        return 1
    except KeyboardInterrupt:
        say()
        say("Interrupted. Run the same command again: it puts right what is half done.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
