"""`tandem rules backtest`: every stored timeline through two packs, in parallel, writing nothing and telling nobody."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from services.rules.backtest import Example, Report, as_json, as_text, compare, replay
from services.rules.club_rules import shared_sources
from services.rules.engine.horizon import horizon
from services.rules.language.load import SourceFile, load_sources, sources
from services.rules.language.model import Generation, RuleSet
from services.rules.rulebook import rule_paths
from shared.clock import clock_for
from shared.settings import Settings
from shared.store.connect import Store, connect

DEFAULT_SPAN = timedelta(days=28)
_PAGE = 200


class BacktestError(Exception):
    """There is nothing to compare with, or nobody to compare for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to play: instants [since, until), and the athletes by id (None: all that have a profile)."""

    since: datetime
    until: datetime
    club: str | None = None
    athletes: frozenset[str] | None = None


def wanted(
    settings: Settings, since: datetime | None, until: datetime | None, club: str | None, athletes: str | None
) -> Wanted:
    """Return what is meant: by default the four weeks up to now. `athletes` are ids, separated by commas."""
    store = connect(str(settings.redis_url))
    end = until if until is not None else clock_for(settings, store).now()
    store.close()
    begin = since if since is not None else end - DEFAULT_SPAN
    if begin >= end:
        raise BacktestError(f"--from must be before --to; found {begin.isoformat()} and {end.isoformat()}")
    names = frozenset(name.strip() for name in athletes.split(",")) if athletes else None
    return Wanted(begin, end, club, names)


@dataclass(frozen=True, slots=True)
class _Work:
    """One process's own: its connection and both packs, compiled there."""

    store: Store
    old: RuleSet
    new: RuleSet
    wanted: Wanted


_here: list[_Work] = []


def run(
    settings: Settings, new: Sequence[Path], old: str | None, wanted: Wanted, jobs: int, *, form: str
) -> str:
    """Return the report as text or JSON. `old` is a path, `shipped`, or None for the rules in force.

    Raise `RuleFileError` for a broken pack, `BacktestError`, or `StoreUnavailableError`.
    """
    store = connect(str(settings.redis_url))
    files = sources(new)
    before = _before(store, old)
    for each in (files, before):
        load_sources(each)  # what is wrong is told here, once
    people = list(_people(store, wanted))
    store.close()
    unknown = (wanted.athletes or frozenset()) - {athlete for _, athlete in people}
    if unknown or not people:
        named = f" called {', '.join(sorted(unknown))}" if unknown else ""
        raise BacktestError(f"there is no athlete with a profile{named}; `GET /v1/athletes` lists them")
    report = Report()
    setup = (str(settings.redis_url), before, files, wanted)
    console = Console(stderr=True)
    with (
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
        ProcessPoolExecutor(min(jobs, len(people)), initializer=_begin, initargs=setup) as pool,
    ):
        task = progress.add_task("replaying", total=len(people))
        try:
            played = {pool.submit(_play, *person): person for person in people}
            found = {}
            for future in as_completed(played):
                found[played[future]] = future.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for person in people:  # in their order, whichever process was done first
        report.add(found[person])
    return json.dumps(as_json(report), indent=2, ensure_ascii=False) if form == "json" else as_text(report)


def _before(store: Store, old: str | None) -> tuple[SourceFile, ...]:
    if old == "shipped":
        return sources(rule_paths(Settings()))
    if old is not None:
        return sources([Path(old)])
    current = store.rulebook.current()
    if current is None:
        raise BacktestError(
            "no rules are in force; name those to compare with: --against PATH, or --against shipped"
        )
    return shared_sources(current.files)


def _people(store: Store, wanted: Wanted) -> Iterator[tuple[str, str]]:
    clubs = [club.id for club in store.clubs.list()]
    if wanted.club is not None and wanted.club not in clubs:
        raise BacktestError(f"there is no club {wanted.club!r}; `tandem club list` lists them")
    for club in clubs if wanted.club is None else [wanted.club]:
        cursor: str | None = None
        while True:
            page = store.athletes.page(club, cursor, _PAGE)
            yield from (
                (club, each.id)
                for each in page.items
                if wanted.athletes is None or each.id in wanted.athletes
            )
            cursor = page.next_cursor
            if cursor is None:
                break


def _begin(store_url: str, old: Sequence[SourceFile], new: Sequence[SourceFile], wanted: Wanted) -> None:
    _here[:] = [_Work(connect(store_url), load_sources(old), load_sources(new), wanted)]


def _play(club: str, athlete: str) -> list[Example]:
    [work] = _here
    since, until = work.wanted.since, work.wanted.until
    reach = horizon(tuple(Generation(None, rules) for rules in (work.old, work.new)))
    snapshot = work.store.timelines.load(club, athlete, reach.since(since), until + reach.ahead)
    played = [
        replay(rules, snapshot.athlete, snapshot.events, since, until) for rules in (work.old, work.new)
    ]
    return compare(snapshot.athlete, *played)
