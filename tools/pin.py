"""Write the lower half of requirements.txt: what the packages of its upper half bring along.

Run it inside the environment that is to become the pinned one, after changing a pin by hand and
installing it::

    .venv/bin/python tools/pin.py

The upper half, up to the marker line, is written by hand and kept. Packages that only one platform
needs are left out (torch's CUDA libraries, ConPTY on Windows): pip finds those by itself, because
the package that needs them fixes their versions.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

from atomic import write_atomically
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
MARKER = "# --- below: written by tools/pin.py ---"
LAST_LINES = ["# The package of this course, from this folder.", "-e ."]
PLATFORM_ONLY = re.compile(r"^(nvidia-|cuda-|triton$|pywinpty$|pywin32|colorama$|appnope$)")
OLDEST, NEWEST = "3.11.0", "3.14.0"  # the Pythons that every pin must accept
NOT_ON_WINDOWS = {"pexpect", "ptyprocess"}


def direct_requirements(text: str) -> list[Requirement]:
    """Return the requirements named by hand, in the part of ``text`` above the marker line."""
    upper = text.split(MARKER)[0].splitlines()
    lines = (line.split("#")[0].strip() for line in upper)
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def brought_along(direct: list[Requirement]) -> dict[str, str]:
    """Return name and installed version of every package that ``direct`` needs, directly or not."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(direct)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen or PLATFORM_ONLY.match(name):
            continue
        seen.add(key)
        found[name] = metadata.version(name).split("+")[0]
        for line in metadata.requires(name) or []:
            child = Requirement(line)
            extras = [*requirement.extras, ""]
            if child.marker is None or any(child.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(child)
    return found


def main() -> int:
    """Rewrite requirements.txt; complain where a pin is not installed or shuts out a Python."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    direct = direct_requirements(text)
    found = brought_along(direct)
    for name in found:
        pythons = SpecifierSet(metadata.metadata(name).get("Requires-Python") or "")
        if not (pythons.contains(OLDEST) and pythons.contains(NEWEST)):
            print(
                f"{name} {found[name]} wants Python {pythons}, but the pins must serve {OLDEST} to "
                f"{NEWEST}; install another version of it and run this again",
                file=sys.stderr,
            )
            return 1
    for requirement in direct:
        name = canonicalize_name(requirement.name)
        version = found.pop(name)
        if not requirement.specifier.contains(version):
            print(f"{requirement} is asked for, but {version} is installed", file=sys.stderr)
            return 1
    pins = []
    for name, version in sorted(found.items()):
        marker = ' ; sys_platform != "win32"' if name in NOT_ON_WINDOWS else ""
        pins.append(f"{name}=={version}{marker}")
    upper = text.split(MARKER)[0].rstrip()
    lines = [upper, "", MARKER, *pins, "", *LAST_LINES, ""]
    write_atomically(REQUIREMENTS, "\n".join(lines))
    print(f"{len(direct)} direct pins kept, {len(pins)} others written to {REQUIREMENTS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
