"""`tandem healthcheck` tells a part that works from one that hangs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.heartbeat import LONGEST_S
from tests.running import Running, running

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # the signs of life of this tree alone
    return tmp_path


@pytest.fixture
def system(folder: Path) -> Iterator[Running]:
    with running(folder) as started:
        yield started


def check(part: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", "healthcheck", part],
        env={**os.environ, "TANDEM_DATA_DIR": str(folder / "data")},
        capture_output=True,
        text=True,
        check=False,
    )


def healthy(part: str, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while (found := check(part, folder)).returncode:
        assert time.monotonic() < deadline, found.stderr
        time.sleep(0.2)


@pytest.mark.parametrize("part", ["rules", "notify", "scheduler"])
def test_a_part_that_stands_still_is_not_healthy_and_is_again_when_it_goes_on(
    system: Running, folder: Path, part: str
) -> None:
    healthy(part, folder)
    process = next(each.process for each in system.tree.supervisor.parts if each.name.startswith(part))
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        [sign] = folder.glob(f"tandem-*-{part}.beat")
        past = time.time() - LONGEST_S - 10
        os.utime(sign, (past, past))
        found = check(part, folder)
        assert found.returncode != 0
        assert f"{part} has given no sign of life for 14" in found.stderr
    finally:
        process.send_signal(signal.SIGCONT)
    healthy(part, folder)


def test_a_part_that_never_ran_is_not_healthy(system: Running, folder: Path) -> None:
    for part in ("rules", "notify", "scheduler"):
        healthy(part, folder)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    found = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "healthcheck", "rules"],
        env={**os.environ, "TANDEM_REDIS_URL": str(system.tree.settings.redis_url), "TMPDIR": str(elsewhere)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode != 0
    assert "no sign of life since its start" in found.stderr
