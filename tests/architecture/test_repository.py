"""What is committed: nothing of the machine it was written on, and modules of a size to be read at once."""

import re
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = 250
"""Lines. Nine modules of ten stay under it."""
PUBLIC_INDEX = {"pypi.org", "files.pythonhosted.org"}


def committed(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def places() -> list[str]:
    """Where this checkout and its owner live, unless that is a name as plain as `/app` or `/`."""
    own = [str(ROOT)] if len(ROOT.parts) > 2 else []
    home = [f"{Path.home()}/"] if len(Path.home().parts) > 1 else []
    return [*own, *home, "file:///"]


@pytest.mark.parametrize("place", places())
def test_no_file_names_a_place_of_the_machine_it_was_written_on(place: str) -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in committed()
        if path != Path(__file__) and place in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert named == []


def test_the_lock_names_the_public_index_alone() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == PUBLIC_INDEX


def test_modules_are_short_enough_to_be_read_at_once(record_property: Callable[[str, object], None]) -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in committed("deploy/*.py", "services/*.py", "shared/*.py")
        if path.name != "__init__.py"
    }
    longest = sorted(sizes.items(), key=lambda pair: -pair[1])[:10]
    record_property("median", statistics.median(sizes.values()))
    record_property("longest", longest)
    long = [name for name, size in sizes.items() if size > LONG]
    assert len(long) <= len(sizes) / 10, f"over {LONG} lines: {long}; the longest: {longest}"
