"""What an operator may set: every `TANDEM_*` variable, its type and its default.

Each `TANDEM_X` may instead be given as `TANDEM_X_FILE`, the path of a file that holds the value (a mounted secret).
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from environs import Env, EnvError

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """A setting is wrong; the message names it, what was found and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read once at the start of a process."""

    redis_url: str | None = None
    broker_url: str | None = None
    data_dir: Path = Path(".tandem")
    rules_path: tuple[Path, ...] = ()
    smtp_url: str | None = None
    mail_from: str | None = None
    webhook_allow_networks: tuple[Network, ...] = ()
    public_url: str = "http://127.0.0.1:8080"
    stepped_clock: bool = False
    max_backlog: int = 20_000
    rate_limit: int = 0
    log_level: str = "info"
    log_format: str = "json"
    tick_s: float = 1.0
    rules_workers: int = 2
    notify_threads: int = 64

    @property
    def broker(self) -> str:
        """Celery's broker URL: the store's own unless set."""
        url = self.broker_url or self.redis_url
        if url is None:
            raise SettingsError(
                "TANDEM_REDIS_URL is not set and no embedded store is running; start `tandem up`"
            )
        return url


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `TANDEM_*` from `environ` (default: the process's own). Raise `SettingsError` naming what is wrong."""
    env = Env(prefix="TANDEM_", expand_vars=False)
    values = _with_secret_files(os.environ if environ is None else environ)
    defaults = Settings()
    source = dict(values)
    try:
        with _Environment(source):
            settings = Settings(
                redis_url=env.str("REDIS_URL", None),
                broker_url=env.str("BROKER_URL", None),
                data_dir=Path(env.str("DATA_DIR", str(defaults.data_dir))),
                rules_path=_paths(env.str("RULES_PATH", "")),
                smtp_url=env.str("SMTP_URL", None),
                mail_from=env.str("MAIL_FROM", None),
                webhook_allow_networks=_networks(env.list("WEBHOOK_ALLOW_NETWORKS", [])),
                public_url=env.str("PUBLIC_URL", defaults.public_url).rstrip("/"),
                stepped_clock=env.bool("STEPPED_CLOCK", default=False),
                max_backlog=env.int("MAX_BACKLOG", defaults.max_backlog),
                rate_limit=env.int("RATE_LIMIT", defaults.rate_limit),
                log_level=env.str("LOG_LEVEL", defaults.log_level).lower(),
                log_format=env.str("LOG_FORMAT", defaults.log_format).lower(),
                tick_s=env.float("TICK_S", defaults.tick_s),
                rules_workers=env.int("RULES_WORKERS", defaults.rules_workers),
                notify_threads=env.int("NOTIFY_THREADS", defaults.notify_threads),
            )
    except EnvError as error:
        raise SettingsError(str(error)) from error
    return _checked(settings)


def without_secrets(url: str) -> str:
    """`url` with its user and password hidden, for errors and logs."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    return parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]).geturl()


def _checked(settings: Settings) -> Settings:
    choices = {"log_level": ("debug", "info", "warning", "error"), "log_format": ("json", "text")}
    for name, allowed in choices.items():
        found = getattr(settings, name)
        if found not in allowed:
            raise SettingsError(f"TANDEM_{name.upper()} is {found!r}; allowed: {', '.join(allowed)}")
    for name in ("max_backlog", "tick_s", "rules_workers", "notify_threads"):
        found = getattr(settings, name)
        if found <= 0:
            raise SettingsError(f"TANDEM_{name.upper()} is {found}; it must be above 0")
    if settings.smtp_url is not None:
        if urlsplit(settings.smtp_url).scheme not in {"smtp", "smtps"}:
            raise SettingsError("TANDEM_SMTP_URL must start with smtp:// or smtps://")
        if settings.mail_from is None:
            raise SettingsError("TANDEM_SMTP_URL is set but TANDEM_MAIL_FROM is not; mail needs a sender")
    return settings


def _paths(text: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in text.split(os.pathsep) if part)


def _networks(texts: list[str]) -> tuple[Network, ...]:
    networks = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text.strip()))
        except ValueError as error:
            raise SettingsError(
                f"TANDEM_WEBHOOK_ALLOW_NETWORKS: {error}; allowed: networks such as 10.1.0.0/16, comma-separated"
            ) from error
    return tuple(networks)


def _with_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    values = {name: value for name, value in environ.items() if name.startswith("TANDEM_")}
    for name in [name for name in values if name.endswith("_FILE")]:
        target = name.removesuffix("_FILE")
        if target in values:
            raise SettingsError(f"{target} and {name} are both set; set one of them")
        try:
            values[target] = Path(values.pop(name)).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}: cannot read the file it names: {error}") from error
    return values


class _Environment:
    """environs reads `os.environ` only; this lends it the given variables for the time of one reading."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._saved = {name: value for name, value in os.environ.items() if name.startswith("TANDEM_")}
        self._replace(self._values)

    def __exit__(self, *_: object) -> None:
        self._replace(self._saved)

    @staticmethod
    def _replace(values: Mapping[str, str]) -> None:
        for name in [name for name in os.environ if name.startswith("TANDEM_")]:
            del os.environ[name]
        os.environ.update(values)
