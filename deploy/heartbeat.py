"""Signs of life of a part without a port, for container health checks: a file that its loop touches."""

import os
import tempfile
import time
from pathlib import Path

LONGEST_S = 130.0
"""A worker's loop stands still while it evaluates, for up to a task's limit (90 s); longer is stuck."""


def beat(part: str) -> None:
    """Note that `part` is alive now."""
    _file(part).touch()


def silent_s(part: str) -> float | None:
    """Return for how many seconds nothing was heard of `part` on this machine, or None if nothing ever was."""
    try:
        return max(0.0, time.time() - _file(part).stat().st_mtime)
    except FileNotFoundError:
        return None


def _file(part: str) -> Path:
    return Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{part}.beat"
