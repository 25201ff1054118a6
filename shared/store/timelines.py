"""Athletes' timelines: what they did, each event once and at its highest revision."""

import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from shared.contracts.advice import AdviceRecord
from shared.contracts.athletes import Athlete
from shared.contracts.events import TIMELINE_TYPES, Change, Event, event_key
from shared.contracts.instants import from_ms, to_ms
from shared.contracts.partitions import partition_of_athlete
from shared.store import keys
from shared.store.calls import Heard, asking
from shared.store.codec import decode, decode_many, encode
from shared.store.line import Command, Line
from shared.store.scripts import Call, Scripts

_OWNER_SHARDS = 256
_ANYWHERE: Final = "*"
_NUMBER = {kind: number for number, kind in enumerate(TIMELINE_TYPES, 1)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event. A conflict names the field at fault."""

    status: Literal["accepted", "duplicate", "conflict"]
    field: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """Outcomes in the order of the events, and who hears that there are athletes to evaluate; None: nobody is asked."""

    outcomes: tuple[Outcome, ...]
    heard: Heard | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation leaves to the next one: its instant, its version of the rules, and what it had no word on.

    `unsettled` names each (rule, anchor key) that must be judged again, whatever happens.
    """

    at: datetime
    rules: str
    unsettled: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KeptDigest:
    """What rules made of all events that start before `until`. `name` says which rules; the text is theirs to read."""

    name: str
    until: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of one athlete's timeline: each event type from a start on, all of them up to `until`.

    With `digest`, a name, a kept digest of that name which ends at `digest_since` or later does for what lies before
    its end, but for the types that are `undigested`.
    """

    club: str
    athlete: str
    since: Mapping[str, datetime]
    until: datetime
    digest: str = ""
    digest_since: datetime | None = None
    undigested: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One athlete as of one instant: all that an evaluation reads, and what its commit must find unchanged."""

    club: str
    athlete_id: str
    profile: Athlete | None
    events: tuple[Event, ...]
    standing: tuple[AdviceRecord, ...]
    inputs: str
    commits: str
    dirty: bool
    next_due: datetime | None
    evaluated: Evaluated | None = None
    news: tuple[Change, ...] | None = ()
    """Where the timeline has changed since `evaluated`; None: anywhere, or the profile."""
    digest: KeptDigest | None = None
    """What stands for the events before its end, which are not among `events`."""

    @property
    def athlete(self) -> Athlete:
        """The profile, or the stated default of one who has none."""
        return self.profile or Athlete(self.club, self.athlete_id)


class Timelines:
    """Appends and reads. An append is one atomic write an athlete: duplicate check, timeline, dirty mark."""

    def __init__(self, line: Line, scripts: Scripts) -> None:
        self._line = line
        self._scripts = scripts

    def append(self, club: str, events: Sequence[tuple[str, Event]]) -> Appended:
        """Append (athlete id, event) pairs; an `event.deleted` takes the event that it names off the timeline.

        When this returns, what was accepted is in the store, its athletes are marked for evaluation, and rules workers
        are asked for them: after a repeat too, for whoever was first may have died before it asked.
        """
        owners = self._claim(club, events)
        outcomes: list[Outcome | None] = [None] * len(events)
        by_athlete: dict[str, list[int]] = {}
        for position, (athlete, event) in enumerate(events):
            foreign = next((name for name in _claimed_keys(event) if owners[name] != athlete), None)
            if foreign is None:
                by_athlete.setdefault(athlete, []).append(position)
            else:
                outcomes[position] = _belongs_elsewhere(event, foreign)
        calls = [
            _append_call(club, athlete, [events[i][1] for i in places])
            for athlete, places in by_athlete.items()
        ]
        # Named in the same round trip, and first: a stored event whose athlete no list has would miss new rules.
        names = [("ZADD", keys.club_athletes(club), *(part for name in by_athlete for part in (0, name)))]
        partitions = dict.fromkeys(str(partition_of_athlete(club, athlete)) for athlete in by_athlete)
        call = asking("rules", tuple(partitions))
        answers = self._scripts.run_many(calls, first=names if by_athlete else (), then=call.commands)
        for places, statuses in zip(by_athlete.values(), answers, strict=False):
            for position, status in zip(places, statuses, strict=True):
                outcomes[position] = _outcome(status, events[position][1])
        heard = call.told(answers[len(calls) :]) if calls else None
        return Appended(tuple(outcome for outcome in outcomes if outcome is not None), heard)

    def load(self, club: str, athlete: str, since: Mapping[str, datetime], until: datetime) -> Snapshot:
        """Read an athlete's profile, standing advice, the commit's guards, and events.

        `since` says which types of event are read, each from which start on; all of them up to `until`.
        """
        [snapshot], _ = self.load_and_ask([Wanted(club, athlete, since, until)], ())
        return snapshot

    def load_and_ask(
        self, wanted: Sequence[Wanted], then: Sequence[Command]
    ) -> tuple[list[Snapshot], list[Any]]:
        """`load` several athletes, each as of one instant, and ask for something else after it, in one round trip."""
        answers = self._scripts.run_many([_load_call(each) for each in wanted], then=then)
        snapshots = [_snapshot(each, answer) for each, answer in zip(wanted, answers, strict=False)]
        return snapshots, answers[len(wanted) :]

    def _claim(self, club: str, events: Sequence[tuple[str, Event]]) -> dict[str, str]:
        """Claim every event's key for its athlete. Return the athlete that owns each key.

        A claim outlives a crash before its append: it only says whose the key is, and a repeat finds it so.
        """
        claims = [(name, athlete) for athlete, event in events for name in _claimed_keys(event)]
        owners: dict[str, str] = {}
        known = []
        answers = self._line.ask([("HSETNX", _owners(club, name), name, athlete) for name, athlete in claims])
        for (name, athlete), new in zip(claims, answers, strict=True):
            if new:
                owners[name] = athlete
            elif name not in owners:
                known.append(name)
        if known:
            owners.update(
                zip(
                    known,
                    self._line.ask([("HGET", _owners(club, name), name) for name in known]),
                    strict=True,
                )
            )
        return owners


def _owners(club: str, name: str) -> str:
    return keys.event_owners(club, zlib.crc32(name.encode()) % _OWNER_SHARDS)


def _load_call(wanted: Wanted) -> Call:
    place = keys.AthleteKeys(wanted.club, wanted.athlete)
    index = keys.PartitionKeys(place.tag)
    digested = [kind for kind in wanted.since if kind not in wanted.undigested]
    kinds = [*digested, *(kind for kind in wanted.since if kind in wanted.undigested)]
    return (
        "load",
        [
            place.profile, place.events, place.meta, place.advice, place.standing, index.dirty, index.due, place.news,
            place.digest,
            *map(place.timeline, kinds),
        ],
        [
            place.ref, to_ms(wanted.until), wanted.digest,
            to_ms(wanted.digest_since) if wanted.digest_since else 0,
            len(digested),
            *(to_ms(wanted.since[kind]) for kind in kinds),
        ],
    )  # fmt: skip


def _snapshot(wanted: Wanted, answer: Sequence[Any]) -> Snapshot:
    profile, inputs, commits, dirty, due, events, standing, evaluated, news, digest, digest_until = answer
    return Snapshot(
        wanted.club,
        wanted.athlete,
        decode(profile, Athlete) if profile else None,
        decode_many(events, Event),
        decode_many(standing, AdviceRecord),
        inputs,
        commits,
        dirty == "1",
        from_ms(float(due)) if due else None,
        decode(evaluated, Evaluated) if evaluated else None,
        None if news[:1] == [_ANYWHERE] else tuple(_change(text) for text in news),
        KeptDigest(wanted.digest, from_ms(float(digest_until)), digest) if digest else None,
    )


def _change(text: str) -> Change:
    number, start, key = text.split("|", 2)
    return Change(TIMELINE_TYPES[int(number) - 1], from_ms(float(start)), key)


def _claimed_keys(event: Event) -> tuple[str, ...]:
    return (event.key, _target(event)) if event.type == "event.deleted" else (event.key,)


def _target(event: Event) -> str:
    return event_key(event.source, str(event.data["event_id"])) if event.type == "event.deleted" else ""


def _belongs_elsewhere(event: Event, foreign: str) -> Outcome:
    if foreign == event.key:
        return Outcome(
            "conflict", "subject", "must stay: this id and source belong to an event of another athlete"
        )
    return Outcome(
        "conflict",
        "subject",
        f"must stay: event_id {event.data['event_id']!r} belongs to an event of another athlete",
    )


def _append_call(club: str, athlete: str, events: Sequence[Event]) -> Call:
    place = keys.AthleteKeys(club, athlete)
    taking_off = any(event.revision > 0 or event.type == "event.deleted" for event in events)
    kinds = TIMELINE_TYPES if taking_off else tuple({event.type: None for event in events})
    arguments: list[str | int] = [place.ref, "".join(str(_NUMBER[kind]) for kind in kinds)]
    for event in events:
        payload = encode(event)
        digest = hashlib.blake2b(payload.encode(), digest_size=8).hexdigest()
        arguments += [
            event.key,
            event.revision,
            digest,
            to_ms(event.start),
            payload,
            _target(event),
            0 if event.type == "event.deleted" else kinds.index(event.type) + 1,
        ]
    index = keys.PartitionKeys(place.tag)
    return "append", [
        place.seen, place.events, place.meta, index.dirty, index.waiting, index.turns,
        place.news, place.digest, *map(place.timeline, kinds),
    ], arguments  # fmt: skip


def _outcome(status: str, event: Event) -> Outcome:
    match status:
        case "accepted":
            return Outcome("accepted")
        case "duplicate":
            return Outcome("duplicate")
        case _:
            return Outcome(
                "conflict",
                "revision",
                f"{event.revision} is known with other content; a change needs a higher revision",
            )
