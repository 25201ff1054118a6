"""`tandem up` as an operator meets it: ready, stopped, restarted, refused."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local import OPENER

pytestmark = pytest.mark.timeout(180)
TANDEM = [sys.executable, "-m", "deploy.cli"]


def environ(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return {**kept, "TANDEM_DATA_DIR": str(folder), "TANDEM_LOG_FORMAT": "text"}


@contextmanager
def up(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run `tandem up` and yield its process and URL; kill what is left of it at the end."""
    process = subprocess.Popen(
        [*TANDEM, "up", "--port", "0", "--rules-workers", "1"],
        env=environ(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"ready on (http://\S+)", line)
        assert found, (line, process.stderr.read() if process.stderr and process.poll() is not None else "")
        yield process, found[1]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def tandem(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TANDEM, *arguments], env=environ(folder), capture_output=True, text=True, check=False
    )


def children(pid: int) -> list[int]:
    """Return all living descendants of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *children(int(child))]
    return found


def gone(pids: list[int], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_drains_and_stops_the_whole_tree(tmp_path: Path, name: str) -> None:
    with up(tmp_path) as (process, url):
        tree = children(process.pid)
        assert len(tree) >= 5
        process.send_signal(getattr(signal, name))
        assert process.wait(40) == 0
        assert gone(tree)
        with pytest.raises(OSError, match=r".+"):
            OPENER.open(f"{url}/livez", timeout=1)


def test_root_is_warned_once_and_not_by_every_worker(tmp_path: Path) -> None:
    with up(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=40)
    assert told.count("root") == (os.geteuid() == 0), told


def test_a_killed_root_takes_its_tree_along_and_the_next_one_finds_all_that_was_stored(
    tmp_path: Path,
) -> None:
    with up(tmp_path) as (process, _):
        created = tandem(tmp_path, "club", "create", "Riverside")
        assert created.returncode == 0, created.stderr
        assert re.search(r"tnd_[\w-]{40,}", created.stdout)
        tree = children(process.pid)
        process.kill()
        process.wait()
        assert gone(tree, 30)
    with up(tmp_path):
        assert "Riverside" in tandem(tmp_path, "club", "list").stdout


def test_a_killed_front_door_leaves_no_worker_that_goes_on_answering(tmp_path: Path) -> None:
    with up(tmp_path) as (process, _):
        serving = [
            pid for pid in children(process.pid) if b"\0ingest\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        server, *workers = serving
        assert workers
        os.kill(server, signal.SIGKILL)
        assert gone(serving, 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0


def test_a_second_one_in_the_same_place_is_refused_by_name(tmp_path: Path) -> None:
    with up(tmp_path):
        second = tandem(tmp_path, "up", "--port", "0")
    assert second.returncode == 2
    assert "another `tandem up` works in" in second.stderr


def test_a_port_that_is_taken_is_refused_by_name_and_not_taken_for_its_own(tmp_path: Path) -> None:
    with up(tmp_path / "first") as (_, url):
        port = str(urlsplit(url).port)
        second = tandem(tmp_path / "second", "up", "--port", port)
    assert second.returncode == 2
    assert f"port {port} of 127.0.0.1 cannot be had" in second.stderr


def test_without_a_store_a_command_says_what_to_do(tmp_path: Path) -> None:
    answer = tandem(tmp_path / "nothing", "club", "create", "X")
    assert answer.returncode == 2
    assert "TANDEM_REDIS_URL is not set and no `tandem up` runs" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_bad_setting_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    wrong = {**environ(tmp_path), "TANDEM_LOG_LEVEL": "loud"}
    answer = subprocess.run([*TANDEM, "up"], env=wrong, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "TANDEM_LOG_LEVEL is 'loud'; allowed: debug, info, warning, error" in answer.stderr


def test_bad_rules_stop_it_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("pack: x\nversion: 1\nrulez: []\n", encoding="utf-8")
    wrong = {**environ(tmp_path / "data"), "TANDEM_RULES_PATH": str(tmp_path)}
    answer = subprocess.run([*TANDEM, "up"], env=wrong, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "bad.yaml:3:1" in answer.stderr
    assert "did you mean rules?" in answer.stderr


@pytest.mark.timeout(240)
def test_the_demo_ends_well_and_says_so(tmp_path: Path) -> None:
    answer = tandem(tmp_path, "demo")
    assert answer.returncode == 0, answer.stdout[-3000:]
    assert "all as it should be" in answer.stdout
