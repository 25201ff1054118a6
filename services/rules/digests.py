"""How a digest is kept between evaluations, and up to when it reaches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

import msgspec

from services.rules.engine.calendar import midnight
from services.rules.engine.digest import Column, Digest, Extent, Layout, digested
from services.rules.language.model import Before, Choice, Each, Pick, Rulebook
from shared.contracts.events import Event
from shared.store.timelines import KeptDigest

_DAY = timedelta(days=1)
_MOST_RECENT = timedelta(days=4)
_LATEST = timedelta(hours=36)
"""What is read one by one at least: an anchor of today, the day before it, and what comes a little late."""
_STALE = timedelta(days=8)
"""A digest that ends longer ago would have more read one by one than a new one."""


class _Kept(msgspec.Struct, array_like=True):
    """A digest's columns in the order of its layout, each a text of its own, to be read when it is asked for."""

    extents: dict[str, Extent]
    columns: list[str]


class _Text(msgspec.Struct, array_like=True):
    """The text of a column: starts in milliseconds since 1970, and the numbers of each field."""

    starts: list[int]
    numbers: list[list[float | None]]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Kept)
_texts = msgspec.json.Decoder(_Text)


class _Columns(Mapping[Choice, Column]):
    """The columns of a digest that was kept: an evaluation reads few of them."""

    def __init__(self, layout: Layout, texts: Sequence[str]) -> None:
        self._layout = layout
        self._texts = texts

    def __getitem__(self, choice: Choice) -> Column:
        found = _texts.decode(self._texts[self._layout.places[choice]])
        return Column(found.starts, dict(zip(self._layout.fields[choice], found.numbers, strict=True)))

    def __iter__(self) -> Iterator[Choice]:
        return iter(self._layout.fields)

    def __len__(self) -> int:
        return len(self._texts)


def recent(rulebook: Rulebook) -> timedelta:
    """Return how far back events are read one by one: as far as a rule about a session looks for a single one."""
    spans = [
        fact.window.span
        for generation in rulebook
        for rule in generation.rule_set.rules
        if isinstance(rule.anchor, Each)
        for fact in rule.facts
        if isinstance(fact, Pick) and isinstance(fact.window, Before)
    ]
    return min(max([_LATEST, *(span + _DAY / 2 for span in spans)]), _MOST_RECENT)


def oldest_end(now: datetime) -> datetime:
    """Return the earliest end of a digest that is worth using at `now`."""
    return now - _STALE


def opened(layout: Layout, kept: KeptDigest) -> Digest:
    """Return the digest that was kept under this layout."""
    found = _decoder.decode(kept.text)
    return Digest(kept.until, found.extents, _Columns(layout, found.columns))


def ends(events: Iterable[Event], now: datetime, recent: timedelta) -> datetime:
    """Return how far a digest may reach at `now`: a midnight `recent` ago, and not to what is not over yet."""
    unended = [event.start for event in events if event.end > now and event.type != "workout.planned"]
    return min([midnight((now - recent).date()), *unended])


def made(
    layout: Layout,
    known: Digest | None,
    events: Iterable[Event],
    since: Mapping[str, datetime],
    until: datetime,
) -> KeptDigest:
    """Return the digest to keep, up to `until`. `known` is what stands for the events that `events` lack."""
    digest = digested(layout, known, sorted(events, key=attrgetter("order")), since, until)
    texts = [
        _encoder.encode(_Text(column.starts, list(column.numbers.values()))).decode()
        for column in digest.columns.values()
    ]
    return KeptDigest(layout.version, until, _encoder.encode(_Kept(dict(digest.extents), texts)).decode())
