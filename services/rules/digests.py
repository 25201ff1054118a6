"""How a digest is kept between evaluations, and up to when it reaches."""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from operator import attrgetter, mul

import msgspec

from services.rules.engine.calendar import midnight
from services.rules.engine.digest import UNDIGESTED, Column, Digest, Extent, Layout, digested
from services.rules.language.model import Before, Choice, Each, Pick, Rulebook
from shared.contracts.events import Event
from shared.store.timelines import KeptDigest

_DAY = timedelta(days=1)
_MOST_RECENT = timedelta(days=4)
_LATEST = timedelta(hours=36)
"""What is read one by one at least: an anchor of today, the day before it, and what comes a little late."""
_STALE = timedelta(days=8)
"""A digest that ends longer ago would have more read one by one than a new one."""


_BYTES = "latin-1"
"""How a column is kept: as the machine has it, each byte the character of that code. To read its numbers as numbers are
written takes ten times as long."""
_SIZES = {code: array(code).itemsize for code in "bhiIqd"}


class _Head(msgspec.Struct, array_like=True):
    """What stands before a digest's columns. Of each, in the order of the layout: its base, length and types.

    The types are those of its arrays, a letter each: of the starts and then of each field. Then come the plans taken.
    """

    extents: dict[str, Extent]
    bases: list[int]
    lengths: list[int]
    types: list[str]
    taken: dict[str, int]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Head)


class _Columns(Mapping[Choice, Column]):
    """The columns of a digest that was kept: an evaluation reads few of them."""

    def __init__(self, layout: Layout, head: _Head, packed: bytes) -> None:
        self._layout = layout
        self._head = head
        self._begins = (0, *accumulate(map(mul, head.lengths, map(_width, head.types))))
        self._packed = packed

    def __getitem__(self, choice: Choice) -> Column:
        place = self._layout.places[choice]
        head, packed, begin = self._head, self._packed, self._begins[place]
        length, types = head.lengths[place], head.types[place]
        end = begin + length * _SIZES[types[0]]
        starts = array(types[0], packed[begin:end])
        numbers = {}
        for name, code in zip(self._layout.fields[choice], types[1:], strict=True):
            begin, end = end, end + length * _SIZES[code]
            numbers[name] = array(code, packed[begin:end])
        return Column(head.bases[place], starts, numbers)

    def __iter__(self) -> Iterator[Choice]:
        return iter(self._layout.fields)

    def __len__(self) -> int:
        return len(self._layout.fields)


@cache
def _width(types: str) -> int:
    """Return how many bytes a column of these types has an event."""
    return sum(_SIZES[code] for code in types)


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
    text, _, columns = kept.text.partition("\n")
    head = _decoder.decode(text)
    return Digest(kept.until, head.extents, _Columns(layout, head, columns.encode(_BYTES)), head.taken)


def ends(events: Iterable[Event], now: datetime, recent: timedelta) -> datetime:
    """Return how far a digest may reach at `now`: a midnight `recent` ago, and not to what is not over yet."""
    unended = [event.start for event in events if event.end > now and event.type not in UNDIGESTED]
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
    columns = [(each, (each.starts, *each.numbers.values())) for each in digest.columns.values()]
    head = _Head(
        dict(digest.extents),
        [column.base for column, _ in columns],
        [len(column.starts) for column, _ in columns],
        ["".join(part.typecode for part in parts) for _, parts in columns],
        dict(digest.taken),
    )
    packed = b"".join(part.tobytes() for _, parts in columns for part in parts)
    text = f"{_encoder.encode(head).decode()}\n{packed.decode(_BYTES)}"
    return KeptDigest(layout.version, until, text)
