"""Ends a process when the one that started it is gone: a tree that loses its root must not go on without it."""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

END_WITH_PARENT = "TANDEM_END_WITH_PARENT"
"""Set by a supervisor to its own pid, in the environment of each part."""

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end_with_supervisor(environ: Mapping[str, str]) -> None:
    """`end_with_parent` when a supervisor started this process; end at once when that one is gone already."""
    parent = environ.get(END_WITH_PARENT)
    if parent is None or str(os.getppid()) != parent:
        return
    end_with_parent()
    if str(os.getppid()) != parent:
        sys.exit(1)
