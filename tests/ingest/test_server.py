"""The front door as it is served: real sockets, real worker processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.front_door import FACTORY
from shared.store.connect import connect
from tests.ingest.door import NOW, event

BIG = 10 * 1024 * 1024


@dataclass(frozen=True)
class Served:
    """A running front door and a key to it."""

    port: int
    token: str
    process: subprocess.Popen[bytes]
    log: Path

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def post(self, body: object) -> tuple[int, dict[str, object]]:
        with closing(self.connection()) as connection:
            connection.request("POST", "/v1/events", json.dumps(body), self.headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}


@contextmanager
def serve(store_url: str, directory: Path, workers: int = 1) -> Iterator[Served]:
    store = connect(store_url)
    store.clock.set(NOW)
    club = store.clubs.create("Kraftwerk", NOW)
    _, token = store.clubs.issue_key(club.id, "watch-sync", ("admin",), NOW)
    store.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = directory / "ingest.log"
    counts = directory / "counts"
    counts.mkdir()
    environ = {
        **os.environ,
        "TANDEM_REDIS_URL": store_url,
        "TANDEM_STEPPED_CLOCK": "true",
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
    }
    words = f"{FACTORY!r}, '127.0.0.1', {port}, {workers}"
    code = f"from services.ingest.server import serve; serve({words})"
    with log.open("wb") as sink:
        process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=sink, stderr=sink)
    try:
        _await(port, process, log)
        yield Served(port, token, process, log)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture
def served(store_url: str, tmp_path: Path) -> Iterator[Served]:
    with serve(store_url, tmp_path) as running:
        yield running


def test_ten_megabytes_are_refused_without_being_read(served: Served) -> None:
    connection = served.connection()
    connection.putrequest("POST", "/v1/events")
    for name, value in {**served.headers, "Content-Length": str(BIG)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    # Nothing of the body is sent: an answer can only come from a server that does not wait for it.
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, told["type"]) == (413, "urn:tandem:problem:too-large")
    assert served.post(event())[0] == 202


def test_ten_megabytes_of_unknown_length_are_refused_too(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as peer:
        head = [
            "POST /v1/events HTTP/1.1",
            "Host: here",
            *(f"{name}: {value}" for name, value in served.headers.items()),
            "Transfer-Encoding: chunked",
            "",
            "",
        ]
        peer.sendall("\r\n".join(head).encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        answer = b""
        try:
            for _ in range(BIG // 0x10000):
                peer.sendall(chunk)
        except OSError:
            pass  # the server has stopped reading, as it should
        try:
            answer = peer.recv(65536)
        except ConnectionResetError:
            pytest.fail("the connection was reset before the answer could be read")
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_chunked_event_is_read_whole(served: Served) -> None:
    connection = served.connection()
    body = json.dumps(event()).encode()
    pieces = (body[i : i + 10] for i in range(0, len(body), 10))
    connection.request("POST", "/v1/events", pieces, served.headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["accepted"]) == (202, 1)
    connection.close()


def test_an_open_connection_serves_request_after_request(served: Served) -> None:
    connection = served.connection()
    for number in range(5):
        connection.request("POST", "/v1/events", json.dumps(event(id=str(number))), served.headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["accepted"]) == (202, 1)
    connection.close()


def test_workers_count_together_and_log_each_request_with_its_id(store_url: str, tmp_path: Path) -> None:
    with serve(store_url, tmp_path, workers=2) as served:
        for number in range(20):
            assert served.post(event(id=str(number)))[0] == 202
        with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        assert 'tandem_events_total{outcome="accepted"} 20.0' in lines
        count = next(
            line
            for line in lines
            if line.startswith("tandem_http_request_seconds_count") and 'route="/v1/events"' in line
        )
        assert count.endswith(" 20.0")
        assert "tandem_backlog 1.0" in lines
    logged = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    requests = [line for line in logged if line.get("route") == "/v1/events"]
    assert len(requests) == 20
    assert len({line["request_id"] for line in requests}) == 20
    assert all((line["status"], line["accepted"]) == (202, 1) and line["club"] for line in requests)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_it_answers_and_stops_when_told(served: Served, by: signal.Signals) -> None:
    answers: list[int] = []

    def post_many() -> None:
        for number in range(50):
            try:
                answers.append(served.post(event(id=str(number)))[0])
            except (ConnectionError, http.client.HTTPException):
                return

    sender = threading.Thread(target=post_many)
    sender.start()
    served.process.send_signal(by)
    sender.join(30)
    served.process.wait(30)
    assert served.process.returncode == 0, served.log.read_text()
    assert set(answers) <= {202}
