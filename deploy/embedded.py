"""The embedded store: a Valkey of our own, in the data directory, for one machine and no set-up."""

import fcntl
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.store.connect import StoreUnavailableError, connect

_START_S = 20


class DataDirInUseError(Exception):
    """Another `tandem up` works in this data directory."""


@dataclass(slots=True)
class EmbeddedStore:
    """A place for a Valkey. Only who can read the data directory can reach it: loopback, with a password."""

    url: str
    config: Path
    _folder: Path
    _lock: IO[str]

    def await_answer(self) -> None:
        """Return when it answers, and note where it is for other commands; raise `StoreUnavailableError` in time."""
        store = connect(self.url)
        deadline = time.monotonic() + _START_S
        try:
            while True:
                try:
                    store.ping()
                except StoreUnavailableError:
                    if time.monotonic() > deadline:
                        log = self._folder / "valkey.log"
                        raise StoreUnavailableError(
                            f"Valkey did not start within {_START_S} s; see {log}"
                        ) from None
                    time.sleep(0.01)
                else:
                    break
        finally:
            store.close()
        note = self._folder / "store.json"
        note.touch(mode=0o600)
        note.write_text(json.dumps({"url": self.url, "pid": os.getpid()}), encoding="utf-8")

    def close(self) -> None:
        """Forget the place, once nothing runs there."""
        (self._folder / "store.json").unlink(missing_ok=True)
        self._lock.close()


def find_embedded(data_dir: Path) -> str | None:
    """Return the URL of the store of a `tandem up` that runs in `data_dir`, or None."""
    try:
        noted = json.loads((data_dir / "store.json").read_text(encoding="utf-8"))
        os.kill(noted["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return str(noted["url"])


def claim_place(data_dir: Path) -> EmbeddedStore:
    """Make `data_dir` ready for a Valkey with an append-only file; raise `DataDirInUseError` when one has it."""
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
    config.write_text(_config(port, password, data_dir.resolve()), encoding="utf-8")
    return EmbeddedStore(f"redis://:{password}@127.0.0.1:{port}/0", config.resolve(), data_dir, lock)


def free_port() -> int:
    """Return a loopback port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(port: int, password: str, folder: Path) -> str:
    # everysec: a power cut loses at most the last second, and a kill nothing, as the kernel has the writes; but for one
    # during a slow sync, for which Valkey puts writes off for up to two seconds.
    # noeviction: evicting a broker's bindings or an athlete's timeline would lose work in silence.
    return (
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {json.dumps(str(folder))}\n"
        f"logfile {json.dumps(str(folder / 'valkey.log'))}\n"
        'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\ndaemonize no\nloglevel notice\n'
    )
