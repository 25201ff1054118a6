"""The whole of Tandem in one process tree on one machine: what `tandem up` runs."""

import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from deploy.embedded import EmbeddedStore, claim_place, free_port
from deploy.supervisor import Part, Supervisor
from shared.settings import Settings
from shared.store.connect import connect

_READY_S = 60
_TANDEM = (sys.executable, "-m", "deploy.cli")
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""For this machine's own URLs: a proxy that the environment names is not for them."""


class NotReadyError(Exception):
    """The tree was started but did not come to take events in time."""


@dataclass(slots=True)
class LocalTandem:
    """A running tree. `url` is where it takes events; `settings` has the store's URL filled in."""

    url: str
    settings: Settings
    supervisor: Supervisor
    embedded: EmbeddedStore | None

    def stop(self) -> None:
        """Drain and stop every part, the store last."""
        self.supervisor.stop()
        if self.embedded is not None:
            self.embedded.close()


def start(
    settings: Settings,
    port: int,
    *,
    host: str = "127.0.0.1",
    ingest_workers: int = 1,
    notify_workers: int = 1,
    environ: Mapping[str, str] | None = None,
    output: IO[Any] | None = None,
) -> LocalTandem:
    """Start the store (unless one is set), ingest, the workers and the scheduler; return when they do their work.

    Events are taken then, and rules are in force. `port` 0 takes a free one. `environ` adds to what the parts inherit.
    """
    port = port or free_port()
    _check_free(host, port)
    embedded = None if settings.redis_url else claim_place(settings.data_dir)
    if embedded is not None:
        settings = replace(settings, redis_url=embedded.url)
    metrics = settings.data_dir / "metrics"
    shared_environ = {
        **os.environ,
        **(environ or {}),
        "TANDEM_REDIS_URL": str(settings.redis_url),
        "TANDEM_PUBLIC_URL": _public_url(settings, port),
        "PROMETHEUS_MULTIPROC_DIR": str(_empty(metrics)),
    }
    shared_environ.pop("TANDEM_REDIS_URL_FILE", None)
    parts = _parts(settings, host, port, ingest_workers, notify_workers, shared_environ)
    if embedded is not None:
        parts.append(
            Part(
                "store",
                [sys.executable, "-m", "deploy.store_process", str(embedded.config)],
                shared_environ,
                rank=2,
            )
        )
    supervisor = Supervisor(parts, output)
    tandem = LocalTandem(f"http://{host}:{port}", settings, supervisor, embedded)
    try:
        if embedded is not None:
            supervisor.start(parts[-1])
            supervisor.start(parts[0])  # the front door takes a while to open, and needs no store for that
            embedded.await_answer()
        for part in parts:
            if part.process is None:
                supervisor.start(part)
        threading.Thread(target=supervisor.watch, name="supervisor", daemon=True).start()
        await_ready(tandem.url)
        _await_rules(str(tandem.settings.redis_url))
    except BaseException:
        tandem.stop()
        raise
    return tandem


def _check_free(host: str, port: int) -> None:
    """Raise `NotReadyError` when something listens there: its answers would pass for ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise NotReadyError(
                f"port {port} of {host} cannot be had: {error.strerror}; --port chooses another"
            ) from None


def run_until_stopped(start_tree: Callable[[], LocalTandem], say: Callable[[str], None]) -> None:
    """Start a tree, say where it is ready, and stop it on SIGINT or SIGTERM."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    tandem = start_tree()
    say(f"ready on {tandem.url}")
    stop.wait()
    say("draining")
    tandem.stop()
    say("stopped")


def await_ready(url: str, seconds: float = _READY_S) -> None:
    """Return when `url` says that it is ready; raise `NotReadyError` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            with OPENER.open(f"{url}/readyz", timeout=2) as answer:
                if answer.status == 200:  # noqa: PLR2004 - OK
                    return
        except urllib.error.HTTPError as error:
            last = f"{error.code} {error.read(500).decode(errors='replace')}"
        except OSError as error:
            last = str(error)
        time.sleep(0.02)
    raise NotReadyError(f"{url}/readyz did not answer 200 within {seconds:.0f} s; the last answer: {last}")


def _await_rules(store_url: str) -> None:
    """Return when a worker has put rules in force; raise `NotReadyError` when none does in time."""
    deadline = time.monotonic() + _READY_S
    store = connect(store_url)
    try:
        while not store.rulebook.installed():
            if time.monotonic() > deadline:
                raise NotReadyError(
                    f"no worker has put rules in force within {_READY_S} s; their log says why"
                )
            time.sleep(0.02)
    finally:
        store.close()


def _parts(
    settings: Settings,
    host: str,
    port: int,
    ingest_workers: int,
    notify_workers: int,
    environ: Mapping[str, str],
) -> list[Part]:
    return [
        Part(
            "ingest",
            [*_TANDEM, "ingest", "--host", host, "--port", str(port), "--workers", str(ingest_workers)],
            environ,
            rank=0,
        ),
        Part("scheduler", [*_TANDEM, "scheduler"], environ, drain_s=5),
        *(
            Part(f"rules-{n}", [*_TANDEM, "worker", "rules"], environ)
            for n in range(1, settings.rules_workers + 1)
        ),
        *(Part(f"notify-{n}", [*_TANDEM, "worker", "notify"], environ) for n in range(1, notify_workers + 1)),
    ]


def _public_url(settings: Settings, port: int) -> str:
    untouched = settings.public_url == Settings().public_url
    return f"http://127.0.0.1:{port}" if untouched else settings.public_url


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.iterdir():
        stale.unlink()  # counts of processes that are gone
    return folder.resolve()
