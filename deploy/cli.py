"""The `tandem` command: one program, a subcommand for each thing that runs or is asked."""

import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from deploy.times import Instant
from services.rules.cli import rules
from shared.clock import clock_for
from shared.contracts.clubs import SCOPES, Scope
from shared.logging import configure
from shared.orphans import end_with_supervisor
from shared.settings import Settings, SettingsError, read_settings
from shared.store.connect import Store, StoreUnavailableError, connect

UNUSABLE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tandem-training", prog_name="tandem")
def main() -> None:
    """Tandem tells people who lift and run what to do next, while it still helps."""
    end_with_supervisor(os.environ)


main.add_command(rules)


@main.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="TANDEM_DATA_DIR; default .tandem.")
@click.option("--rules-workers", type=click.IntRange(1, 64), help="Processes that evaluate rules.")
@click.option("--notify-workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--ingest-workers", type=click.IntRange(1, 64), default=1, show_default=True)
def up(
    port: int,
    host: str,
    data_dir: Path | None,
    rules_workers: int | None,
    notify_workers: int,
    ingest_workers: int,
) -> None:
    """Run the whole of it here: store, front door, workers, scheduler."""
    from deploy import local  # noqa: PLC0415 - other commands need not load it
    from deploy.embedded import DataDirInUseError  # noqa: PLC0415

    settings = _settings()
    settings = replace(
        settings,
        data_dir=data_dir or settings.data_dir,
        rules_workers=rules_workers or settings.rules_workers,
    )
    _check_rules(settings)
    if os.geteuid() == 0:
        click.echo("tandem: running as root, which nothing here needs; a user of its own is safer", err=True)

    def start() -> local.LocalTandem:
        return local.start(
            settings,
            port,
            host=host,
            ingest_workers=ingest_workers,
            notify_workers=notify_workers,
            environ={"TANDEM_DATA_DIR": str(settings.data_dir.resolve())},
        )

    try:
        local.run_until_stopped(start, click.echo)
    except (DataDirInUseError, StoreUnavailableError, local.NotReadyError) as error:
        _fail(str(error))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
def ingest(host: str, port: int, workers: int) -> None:
    """Run the HTTP front door."""
    from deploy.front_door import FACTORY  # noqa: PLC0415 - the same
    from services.ingest.server import serve  # noqa: PLC0415 - only this command needs the web server

    serve(FACTORY, host, port, workers, _with_store(_settings()).redis_url)


@main.command()
@click.argument("service", type=click.Choice(["rules", "notify"]))
def worker(service: str) -> None:
    """Run one worker process of SERVICE: rules, or notify (which sends from many threads)."""
    settings = _with_store(_settings())
    from deploy.workers import run_worker  # noqa: PLC0415 - Celery is loaded by workers only
    from services.rules.language.load import RuleFileError  # noqa: PLC0415

    try:
        run_worker(service, settings)
    except (StoreUnavailableError, RuleFileError) as error:
        _fail(str(error))


@main.command()
def scheduler() -> None:
    """Run the tick. Several may run; one of them ticks."""
    from deploy import scheduler as ticking  # noqa: PLC0415 - only this command needs it

    settings = _with_store(_settings())
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    ticking.run(settings, stopping)


@main.command()
@click.option(
    "--url", help="A deployment with a stepped clock (TANDEM_STEPPED_CLOCK); default: one started here."
)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Where the demo's receivers listen.")
@click.option(
    "--reach", default="127.0.0.1", show_default=True, help="The name under which workers reach them."
)
@click.option(
    "--smtp-port", type=click.IntRange(0, 65535), default=0, help="Where mail is caught; 0: any free port."
)
def demo(url: str | None, bind: str, reach: str, smtp_port: int) -> None:
    """Run a club's four weeks in seconds, and exit 0 only if all that should arrive did."""
    from rich.console import Console  # noqa: PLC0415 - only this command needs it

    from deploy.demo.run import DemoError, Place, run  # noqa: PLC0415
    from deploy.local import NotReadyError  # noqa: PLC0415
    from deploy.stepping import NotSettledError, NotSteppableError  # noqa: PLC0415

    settings = _settings()
    try:
        sys.exit(run(settings, Place(url, bind, reach, smtp_port), Console(highlight=False)))
    except (DemoError, NotReadyError, NotSettledError, NotSteppableError, StoreUnavailableError) as error:
        _fail(str(error))


@main.group()
def club() -> None:
    """Clubs and their API keys."""


@club.command("create")
@click.argument("name")
def club_create(name: str) -> None:
    """Found a club and print its API key, this once."""
    store = _store()
    now = datetime.now(UTC)
    founded = store.clubs.create(name, now)
    key, token = store.clubs.issue_key(founded.id, "default", SCOPES, now)
    click.echo(f"club     {founded.id}  {name}")
    click.echo(f"key      {key.id}  {key.name}  ({', '.join(key.scopes)})")
    click.echo(f"api key  {token}")
    click.echo("The key is shown this once; the store keeps only its hash.", err=True)


@club.command("list")
def club_list() -> None:
    """List the clubs, the oldest first."""
    for each in _store().clubs.list():
        click.echo(f"{each.id}  {each.name}")


@club.command("key")
@click.argument("club_id")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="Repeat for several; default all."
)
def club_key(club_id: str, name: str, scopes: tuple[Scope, ...]) -> None:
    """Print a further API key, called NAME, of club CLUB_ID."""
    store = _store()
    if store.clubs.get(club_id) is None:
        _fail(f"there is no club {club_id!r}; `tandem club list` lists them")
    _, token = store.clubs.issue_key(club_id, name, scopes or SCOPES, datetime.now(UTC))
    click.echo(token)


@rules.command("trace")
@click.argument("rule_id", metavar="RULE")
@click.option("--athlete", required=True, help="The athlete's id.")
@click.option("--club", "club_id", help="Needed when several clubs have an athlete of that id.")
@click.option("--at", type=Instant(), help="RFC 3339; default: now.")
@click.option("--json", "as_json", is_flag=True, help="For programs to read.")
def rules_trace(
    rule_id: str, athlete: str, club_id: str | None, at: datetime | None, *, as_json: bool
) -> None:
    """Say why RULE did or did not speak to an athlete: anchor by anchor, each fact with the events behind it.

    The rules in force are evaluated anew over the stored timeline; nothing is written and nobody is told.
    """
    from deploy.tracing import TraceError, report  # noqa: PLC0415 - CEL loads slowly

    settings = _asked()
    try:
        click.echo(report(settings, rule_id, athlete, club_id, at, as_json=as_json))
    except (TraceError, StoreUnavailableError) as error:
        _fail(str(error))


@rules.command("load")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def rules_load(paths: tuple[Path, ...]) -> None:
    """Put the rules at PATHS, or of TANDEM_RULES_PATH, in force in the running system, without a restart.

    Workers follow with the next athlete they evaluate. Name the paths that TANDEM_RULES_PATH has for the workers: at
    their next start they load those. Exit code: 0 in force, 2 a file is wrong and all stayed as it was.
    """
    from services.rules.language.load import RuleFileError  # noqa: PLC0415 - CEL loads slowly
    from services.rules.rulebook import install, rule_paths  # noqa: PLC0415 - the same

    settings = _asked()
    store = connect(str(settings.redis_url))
    try:
        found = install(paths or rule_paths(settings), store, clock_for(settings, store).now())
    except (StoreUnavailableError, RuleFileError) as error:
        _fail(str(error))
    click.echo("these rules are in force already" if found is None else f"rules in force: {len(found.rules)}")


@rules.command("backtest")
@click.option(
    "--pack",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help="The new rules; repeat for layers.",
)
@click.option("--against", help="The old rules: a path, or `shipped`; default: those in force.")
@click.option(
    "--from", "since", type=Instant(days=True), help="RFC 3339, or a day (UTC); default: 28 days before --to."
)
@click.option("--to", "until", type=Instant(days=True), help="RFC 3339, or a day (UTC); default: now.")
@click.option("--athletes", help="Athletes' ids, separated by commas; default: all that have a profile.")
@click.option("--club", help="Only this club's athletes.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def rules_backtest(
    pack: tuple[Path, ...],
    against: str | None,
    since: datetime | None,
    until: datetime | None,
    athletes: str | None,
    club: str | None,
    form: str,
) -> None:
    """Say what other rules would have said: replay stored timelines through both, writing and sending nothing.

    Counted are pieces of advice: `issued` by the new rules alone, `changed` in words or severity, `withdrawn` by the
    new alone, `silent` now, or the `same`. Events count as if each had been known when it happened.
    """
    from deploy.backtest import BacktestError, run, wanted  # noqa: PLC0415 - CEL loads slowly
    from services.rules.language.load import RuleFileError  # noqa: PLC0415 - the same

    settings = _asked()
    try:
        meant = wanted(settings, since, until, club, athletes)
        click.echo(run(settings, pack, against, meant, os.cpu_count() or 1, form=form))
    except (BacktestError, StoreUnavailableError, RuleFileError) as error:
        _fail(str(error))


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=1025, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def mailcatcher(host: str, port: int) -> None:
    """Catch mail instead of sending it, and print each message: for trials, never for production."""
    from deploy.mailcatcher import run  # noqa: PLC0415 - only this command needs it

    run(host, port, click.echo)


@main.command()
@click.argument("part", type=click.Choice(["ingest", "rules", "notify", "scheduler"]))
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
def healthcheck(part: str, port: int) -> None:
    """Exit 0 when PART can do its work: for container health checks."""
    from deploy import heartbeat, local  # noqa: PLC0415 - only this command needs them

    try:
        if part == "ingest":
            local.await_ready(f"http://127.0.0.1:{port}", seconds=3)
        else:
            _store().ping()
            silent = heartbeat.silent_s(part)
            if silent is None or silent > heartbeat.LONGEST_S:
                since = "since its start" if silent is None else f"for {silent:.0f} s"
                _fail(
                    f"{part} has given no sign of life {since}; at most {heartbeat.LONGEST_S:.0f} s are allowed"
                )
    except (local.NotReadyError, StoreUnavailableError) as error:
        _fail(str(error))


def _settings() -> Settings:
    try:
        settings = read_settings()
    except SettingsError as error:
        _fail(str(error))
    configure(settings)
    return settings


def _asked() -> Settings:
    """Return the settings, store and all, of a command that answers and ends.

    Its answer is what it prints; the log, on stderr, speaks up only when something is wrong.
    """
    settings = _settings()
    if settings.log_level != "error":
        configure(replace(settings, log_level="warning"))
    return _with_store(settings)


def _with_store(settings: Settings) -> Settings:
    """Fill in the embedded store's URL where none is set."""
    if settings.redis_url is not None:
        return settings
    from deploy.embedded import find_embedded  # noqa: PLC0415 - not on Windows, where a store must be set

    url = find_embedded(settings.data_dir)
    if url is None:
        _fail(
            f"TANDEM_REDIS_URL is not set and no `tandem up` runs in {settings.data_dir}; "
            "start it, or point TANDEM_DATA_DIR at its data directory"
        )
    return replace(settings, redis_url=url)


def _store() -> Store:
    store = connect(str(_asked().redis_url))
    try:
        store.ping()
    except StoreUnavailableError as error:
        _fail(str(error))
    return store


def _check_rules(settings: Settings) -> None:
    from services.rules.language.load import RuleFileError, load  # noqa: PLC0415 - CEL is loaded where rules are
    from services.rules.rulebook import rule_paths  # noqa: PLC0415

    try:
        load(rule_paths(settings))
    except RuleFileError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    click.echo(f"tandem: {message}", err=True)
    sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
