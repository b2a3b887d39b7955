"""What a pass keeps for its way back, and how far the process grows at its peak."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from benchmarks.cases import CONTESTANTS, MEMORY_SHAPE, Case, Shape

ROOT = Path(__file__).resolve().parent.parent
STATUS = Path("/proc/self/status")


def measure(kinds: Iterable[str], threads: int, tell: Callable[[str], None]) -> list[dict]:
    """Return a row for each kind: bytes saved, and growth at the peak, by contestant."""
    rows = []
    for kind in kinds:
        case = Case(kind, MEMORY_SHAPE)
        saved = {name: saved_by(case, name) for name in CONTESTANTS}
        peak = {name: peak_growth(kind, name, MEMORY_SHAPE, threads) for name in CONTESTANTS}
        rows.append({"kind": kind, "shape": list(MEMORY_SHAPE), "saved": saved, "peak": peak})
        tell(
            f"{kind:5}saved and peak, MiB, at {tuple(MEMORY_SHAPE)}: "
            + ", ".join(
                f"{n} {saved[n] / 2**20:.0f} and {peak[n] / 2**20:.0f}" for n in CONTESTANTS
            )
        )
    return rows


def saved_bytes(run: Callable[[], object], parameters) -> int:
    """Count the bytes that a forward pass saves for its backward pass.

    Every tensor that autograd saves is counted once by its memory, however many of its views are
    saved. The input is counted, parameters are not: they are there in any case.
    """
    known = {p.untyped_storage().data_ptr() for p in parameters}
    kept: dict[int, int] = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    del result  # until here, so that no memory is given back and counted a second time
    return sum(kept.values())


def saved_by(case: Case, name: str) -> int:
    """Return what one contestant saves."""
    return saved_bytes(lambda: case.forward(name), case.modules[name].parameters())


def peak_growth(kind: str, name: str, shape: Shape, threads: int) -> int:
    """Return by how many bytes a fresh process grows at the peak of one pass forward and backward.

    The process has run the same on a small input before, and holds input, weights and the
    gradient by the outputs when the count begins.
    """
    command = [sys.executable, "-m", "benchmarks.memory", kind, name, *map(str, shape)]
    done = subprocess.run(
        [*command, str(threads)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"measuring {kind} by {name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def _status(field: str) -> int:
    text = STATUS.read_text(encoding="utf-8")
    return 1024 * int(text.split(f"{field}:")[1].split()[0])


def _start_peak() -> int:
    """Forget the peak so far, where the system can; return the bytes that it is counted from."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        return _status("VmRSS")
    return _peak()


def _peak() -> int:
    """Return the process's largest resident size in bytes.

    Linux is asked through /proc: its ru_maxrss can hold what the parent process once had.
    """
    if STATUS.exists():
        return _status("VmHWM")
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _main(kind: str, name: str, *numbers: str) -> None:
    *shape, threads = map(int, numbers)
    torch.set_num_threads(threads)
    small = Case(kind, Shape(2, 2, *shape[2:]))
    small.gradients(name)
    case = Case(kind, Shape(*shape))
    start = _start_peak()
    case.gradients(name)
    print(_peak() - start)


if __name__ == "__main__":
    _main(*sys.argv[1:])
