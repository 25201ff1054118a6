"""One outgoing request stays within its bounds whatever the other side does."""

import contextlib
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest

from services.notify.channels.http import MOST_BYTES, Poster
from services.notify.channels.line import Line, Lines
from services.notify.channels.message import TransportError
from services.notify.schedule import retry_after
from shared.guard import TargetRefusedError, check_url, may_reach, read_url

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TLS = Path(__file__).parent / "tls"
LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Start a server whose every connection a function handles."""
    listener = socket.create_server(("127.0.0.1", 0))

    def start(handle: Callable[[socket.socket], None]) -> str:
        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    with contextlib.suppress(OSError):
                        handle(connection)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    listener.close()


def failure(poster: Poster, url: str) -> TransportError:
    with pytest.raises(TransportError) as caught:
        poster.post(url, b"{}", {}, NOW)
    return caught.value


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
def test_an_answer_that_drips_is_cut_off(raw_server: Callable[..., str], head: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.05)

    error = failure(Poster(LOOPBACK, whole_s=0.5), raw_server(drip))
    assert (error.reason, error.permanent, error.uncertain) == ("timeout", False, True)


def test_no_more_than_64_kib_of_an_answer_are_read(raw_server: Callable[..., str]) -> None:
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x" * 100_000)
            sent.append(100_000)

    assert Poster(LOOPBACK).post(raw_server(flood), b"{}", {}, NOW).status == 200
    assert sum(sent) < 100 * MOST_BYTES


def test_an_answer_is_not_unpacked(raw_server: Callable[..., str]) -> None:
    bomb = gzip.compress(b"x" * 50_000_000)

    def send(connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        connection.sendall(head.encode() + bomb)

    tracemalloc.start()
    sent = Poster(LOOPBACK).post(raw_server(send), b"{}", {}, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "xxxx" not in sent.detail
    assert peak < 5_000_000


def test_a_second_address_is_tried_when_the_first_takes_no_connection(raw_server: Callable[..., str]) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    port = raw_server(answer).rpartition(":")[2]
    poster = Poster(LOOPBACK, look_up=lambda *_: ["127.0.0.9", "127.0.0.1"])
    assert poster.post(f"http://two.test:{port}", b"{}", {}, NOW).status == 204


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.channels.http.CONNECT_S", 0.1)
    never = threading.Event()

    def silent(_host: str, _port: int) -> list[str]:
        never.wait()
        return []

    error = failure(Poster(LOOPBACK, look_up=silent), "http://silent.test/")
    never.set()
    assert (error.reason, error.permanent) == ("name_not_found", False)


@dataclass
class Counting:
    """A server that counts connections. It closes each after `answers` answers, without a word about it.

    One that `swallows` reads another request before it closes.
    """

    url: str = ""
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    answers: int = 1000
    swallows: bool = False
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def counting() -> Iterator[Counting]:
    made = Counting()
    listener = socket.create_server(("127.0.0.1", 0))
    made.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def speak(connection: socket.socket) -> None:
        with connection:
            for _ in range(made.answers):
                request = connection.recv(65536)
                if not request:
                    return
                while not request.endswith(b"{}"):
                    request += connection.recv(65536)
                made.requests.append(request)
                connection.sendall(made.answer)
            if made.swallows:
                connection.recv(65536)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            made.connections += 1
            threading.Thread(target=speak, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield made
    listener.close()


def test_posts_with_a_name_share_a_connection_and_others_have_one_each(counting: Counting) -> None:
    poster = Poster(LOOPBACK)
    for _ in range(3):
        poster.post(counting.url, b"{}", {}, NOW, named=True)
    assert counting.connections == 1
    for _ in range(3):
        poster.post(counting.url, b"{}", {}, NOW)
    assert counting.connections == 4
    assert [b"Connection: close" in request for request in counting.requests] == [False] * 3 + [True] * 3


def test_a_request_arrives_whole_in_one_write(raw_server: Callable[..., str]) -> None:
    later: list[bytes] = []

    def look(connection: socket.socket) -> None:  # after one reading
        connection.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            later.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert Poster(LOOPBACK).post(raw_server(look), b"{}", {}, NOW).status == 200
    assert later == []


def test_a_connection_that_the_other_side_closed_is_replaced_without_an_error(counting: Counting) -> None:
    poster = Poster(LOOPBACK)
    counting.answers = 2
    for _ in range(20):
        assert poster.post(counting.url, b"{}", {}, NOW, named=True).status == 200
    assert len(counting.requests) == 20
    assert counting.connections >= 10


def test_a_connection_that_is_closed_under_a_request_is_replaced_at_once(counting: Counting) -> None:
    poster = Poster(LOOPBACK)
    counting.answers, counting.swallows = 1, True
    for _ in range(3):
        assert poster.post(counting.url, b"{}", {}, NOW, named=True).status == 200
    assert counting.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000,
    ],
)
def test_a_connection_is_not_used_again_after_what_leaves_it_in_doubt(
    counting: Counting, answer: bytes
) -> None:
    poster = Poster(LOOPBACK)
    counting.answer = answer
    for _ in range(3):
        assert poster.post(counting.url, b"{}", {}, NOW, named=True).status == 200
    assert counting.connections == 3


def test_a_name_is_looked_up_and_judged_anew_when_its_connection_is_old(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    poster = Poster(LOOPBACK, look_up=lambda *_: next(answers))
    url = counting.url.replace("127.0.0.1", "moving.test")
    for _ in range(3):
        poster.post(url, b"{}", {}, NOW, named=True)
    assert counting.connections == 1
    monkeypatch.setattr("services.notify.channels.line.OLDEST_S", 0.0)
    with pytest.raises(TransportError) as caught:
        poster.post(url, b"{}", {}, NOW, named=True)
    assert caught.value.reason == "target_refused"


def test_a_connection_that_nobody_uses_is_closed_and_no_more_are_kept_than_may_be(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.channels.line.IDLE_S", 0.05)
    monkeypatch.setattr("services.notify.channels.line.MOST_KEPT", 1)
    lines, target = Lines(), read_url(counting.url)
    made = [Line(socket.create_connection(("127.0.0.1", target.port)), target) for _ in range(2)]
    for line in made:
        lines.keep(target, line)
    assert [line.quiet for line in made] == [True, False]
    time.sleep(0.1)
    assert lines.take(target) is None
    assert [line.quiet for line in made] == [False, False]


@pytest.fixture
def tls_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A TLS server whose certificate is for `hook.test`, and a machine that trusts it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "hook.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "hook.pem", TLS / "hook.key")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            told = self.headers["Host"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # a client that refuses the certificate

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_over_tls_the_name_is_asked_for_and_verified_at_the_pinned_address(tls_port: int) -> None:
    poster = Poster(LOOPBACK, look_up=lambda *_: ["127.0.0.1"])
    assert poster.post(f"https://hook.test:{tls_port}/", b"{}", {}, NOW).detail == f"hook.test:{tls_port}"
    error = failure(poster, f"https://other.test:{tls_port}/")
    assert (error.reason, error.permanent) == ("tls_failed", False)


def test_proxies_of_the_environment_are_passed_by(
    raw_server: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    url = raw_server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    assert Poster(LOOPBACK).post(url, b"{}", {}, NOW).status == 200


def test_a_lost_connection_may_have_arrived_and_a_refused_one_has_not(raw_server: Callable[..., str]) -> None:
    assert failure(Poster(LOOPBACK), raw_server(lambda _: None)).uncertain
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = failure(Poster(LOOPBACK), f"http://127.0.0.1:{port}/")
    assert (error.reason, error.uncertain, error.permanent) == ("connection_failed", False, False)


def test_a_name_without_an_address_is_tried_again() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError("no such host")

    error = failure(Poster(LOOPBACK, look_up=nobody), "http://nowhere.test/")
    assert (error.reason, error.permanent) == ("name_not_found", False)


def test_a_name_that_is_rebound_inward_is_refused() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])

    def rebind(_host: str, _port: int) -> list[str]:
        return next(answers)

    check_url("http://rebind.test/", (), rebind)
    error = failure(Poster((), look_up=rebind), "http://rebind.test/")
    assert (error.reason, error.permanent) == ("target_refused", True)


def test_one_inward_address_among_several_is_enough_to_refuse() -> None:
    with pytest.raises(TargetRefusedError, match="not on the public internet"):
        check_url("http://both.test/", (), lambda *_: ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "192.88.99.1", "::1", "::", "fe80::1", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fec0::1", "2001:db8::1", "::127.0.0.1", "fe80::1%eth0", "nonsense",
    ],
)  # fmt: skip
def test_inward_addresses_are_refused(address: str) -> None:
    assert not may_reach(address, ())


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert may_reach(address, ())


def test_a_named_network_is_allowed_also_in_its_v6_form() -> None:
    assert may_reach("10.1.2.3", (ip_network("10.1.0.0/16"),))
    assert may_reach("::ffff:10.1.2.3", (ip_network("10.1.0.0/16"),))
    assert not may_reach("10.2.0.1", (ip_network("10.1.0.0/16"),))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://example.org/", "http"),
        ("file:/etc/passwd", "http"),
        ("http:///path", "no host"),
        ("http://user:pass@example.org/", "user name"),
        ("http://example.org/a b", "spaces"),
        ("http://example.org/\r\nX: y", "spaces"),
        ("http://exämple.org/", "ASCII"),
        ("http://example.org/ü", "ASCII"),
        ("http://[::1", "not a URL"),
        ("http://example.org:99999/", "not a URL"),
        ("", "http"),
        ("http://127.1/", "public"),
        ("http://2130706433/", "public"),
        ("http://0x7f.1/", "public"),
    ],
)
def test_bad_targets_are_refused_with_the_reason(url: str, told: str) -> None:
    with pytest.raises(TargetRefusedError, match=told):
        check_url(url, ())


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    assert retry_after("120", NOW) == timedelta(seconds=120)
    assert retry_after("Mon, 02 Mar 2026 12:01:00 GMT", NOW) == timedelta(seconds=60)
    assert retry_after("Mon, 02 Mar 2026 11:00:00 GMT", NOW) == timedelta()
    assert retry_after("soon", NOW) is None
    assert retry_after("99999999999", NOW) == timedelta(hours=24)
