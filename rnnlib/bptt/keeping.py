"""How compiled code is kept for the next process, and how a user hears that it is being made."""

import functools
import sys

import numba
from numba.core import event
from numba.core.caching import FunctionCache

if numba.config.DISABLE_JIT:  # NUMBA_DISABLE_JIT=1, which someone has set for code of theirs
    raise ImportError("numba is told not to compile anything")

OURS = []  # all that is kept


def keep(function):
    """Let a function compiled by numba keep its code in a file, if a folder can be written to."""
    try:
        function._cache = Cache(function.py_func)
    except RuntimeError:  # numba finds no such folder
        pass
    OURS.append(function)
    return function


class Cache(FunctionCache):
    """numba's cache of compiled code, which helps where it can and fails nowhere.

    What a file holds is used if it is whole, and made for the types that were asked for: two
    processes that compile at once may write one file for both. Else the code is compiled anew.
    """

    def load_overload(self, sig, target_context):
        """Return the code for argument types `sig`, or None."""
        try:
            found = super().load_overload(sig, target_context)
            if found is None or found.signature.args == getattr(sig, "args", sig):
                return found
        except Exception:  # anything, when damaged bytes are read
            pass
        try:
            self.flush()
        except OSError:
            pass
        return None

    def save_overload(self, sig, data):
        """Keep compiled code for the next process, if the disk takes it."""
        try:
            super().save_overload(sig, data)
        except OSError:
            pass


class Listener(event.Listener):
    """Hears numba begin to compile, and says so when the function is one of ours."""

    def on_start(self, event):
        """Tell the user what the wait is for."""
        function = event.data["dispatcher"]
        if function in OURS:
            say_once(kept=isinstance(function._cache, Cache))

    def on_end(self, event):
        """Keep silent: there is nothing to tell."""


@functools.cache
def say_once(kept):
    """Say on stderr, which is no part of a page, that the passes are being compiled."""
    often = "once" if kept else "in every process, as no folder can be written to"
    message = "rnnlib: compiling its passes, a few seconds for each kind of layer"
    print(f"{message}. This happens {often}.", file=sys.stderr, flush=True)


event.register("numba:compile", Listener())
