"""The same demo against Compose: scaled workers, real containers, and a worker killed in the middle of it."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import free_port

ROOT = Path(__file__).parents[2]
PROJECT = "tandem-test"
GATEWAY = "172.30.57.1"


def docker(*arguments: str, timeout: float = 120) -> str:
    """Run a docker command that must succeed; return what it printed."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=ROOT,
        env=environ(),
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def has_engine() -> bool:
    """Whether a Docker engine with Compose v2 answers."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return all(subprocess.run(each, capture_output=True, check=False).returncode == 0 for each in asked)


pytestmark = [
    pytest.mark.compose,
    pytest.mark.timeout(580),
    pytest.mark.skipif(not has_engine(), reason="no Docker engine with Compose v2 answers here"),
]
PORTS = {"TANDEM_PORT": str(free_port()), "TANDEM_TEST_SMTP_PORT": str(free_port())}


def environ() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    return {**kept, **PORTS}


def compose(*arguments: str, timeout: float = 120) -> str:
    files = ["-f", "docker-compose.yml", "-f", "tests/compose/override.yml"]
    return docker("compose", "-p", PROJECT, *files, *arguments, timeout=timeout)


def containers(service: str) -> list[str]:
    return compose("ps", "-q", service).split()


@pytest.fixture(scope="module")
def deployment() -> Iterator[None]:
    compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
    compose("build", "ingest", timeout=500)
    compose("up", "-d", "--no-build", "--wait", "--scale", "rules=3", "--scale", "notify=2", timeout=300)
    yield
    compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


def demo() -> "subprocess.Popen[str]":
    (valkey,) = containers("valkey")
    networks = json.loads(docker("inspect", valkey))[0]["NetworkSettings"]["Networks"]
    address = networks[f"{PROJECT}_store"]["IPAddress"]
    wanted = {"TANDEM_REDIS_URL": f"redis://{address}:6379/0", "TANDEM_STEPPED_CLOCK": "1"}
    url = f"http://127.0.0.1:{PORTS['TANDEM_PORT']}"
    receivers = ["--bind", GATEWAY, "--reach", GATEWAY, "--smtp-port", PORTS["TANDEM_TEST_SMTP_PORT"]]
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.cli", "demo", "--url", url, *receivers],
        env={**environ(), **wanted}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
    )  # fmt: skip


@pytest.mark.usefixtures("deployment")
def test_the_demo_holds_against_scaled_containers_one_of_which_is_killed() -> None:
    assert len(containers("rules")) == 3
    assert len(containers("notify")) == 2
    running = demo()

    def disturb() -> None:
        time.sleep(4)
        docker("kill", containers("rules")[0])

    disturbance = threading.Thread(target=disturb)
    disturbance.start()
    told, _ = running.communicate(timeout=400)
    disturbance.join()
    assert running.returncode == 0, told[-4000:]
    assert "all as it should be" in told


@pytest.mark.usefixtures("deployment")
def test_the_image_runs_as_nobody_in_particular_on_a_file_system_that_it_cannot_write() -> None:
    (ingest,) = containers("ingest")
    inspected = json.loads(docker("inspect", ingest))[0]
    assert inspected["Config"]["User"] == "tandem"
    assert inspected["HostConfig"]["ReadonlyRootfs"]
    assert docker("exec", ingest, "id", "-u").strip() == "10001"
    assert inspected["State"]["Health"]["Status"] == "healthy"


@pytest.mark.usefixtures("deployment")
def test_a_club_is_made_in_a_container() -> None:
    (ingest,) = containers("ingest")
    assert "tnd_" in docker("exec", ingest, "tandem", "club", "create", "Dockside")
