"""Advice as the store keeps it: committed by rules, read by ingest and notify, answered by athletes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import redis

from shared.contracts.advice import STANDING, AdviceRecord, Category, State, Verdict
from shared.contracts.instants import to_ms
from shared.contracts.partitions import PARTITIONS
from shared.contracts.traces import TRACE_VERDICTS, Trace
from shared.store import keys
from shared.store.calls import NOBODY, Heard, asking
from shared.store.codec import decode, encode
from shared.store.due import CALL_LEASE_MS
from shared.store.errors import store_errors
from shared.store.line import Line, Reading
from shared.store.outbox import OutboxDraft
from shared.store.pages import Page, offset_of
from shared.store.scripts import Call, Scripts
from shared.store.timelines import Evaluated, KeptDigest, Snapshot

_TAKEN, _KNOWN = 1, 2  # as `commit.lua` answers


@dataclass(frozen=True, slots=True)
class Changes:
    """What one evaluation found to have changed."""

    records: tuple[AdviceRecord, ...] = ()
    outbox: tuple[OutboxDraft, ...] = ()
    traces: Mapping[str, Trace] = field(default_factory=dict)
    """By advice id: what the change rests on, or what was found where a rule failed."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One athlete's commit: what was read, what is to be written, and what is left to the next evaluation."""

    snapshot: Snapshot
    changes: Changes
    next_due: datetime | None
    left: Evaluated | None = None
    digest: KeptDigest | None = None
    """What is to stand for older events from now on; None: what does already."""
    new: Collection[str] = ()
    """Ids of advice that is held never to have been given: if any was, nothing is written."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Whether the commit was taken, and who hears that there is an outbox to route; None: there is none.

    One that was not taken had a stale snapshot, or, if `known`, advice that is not `new`.
    """

    taken: bool
    heard: Heard | None = None
    known: bool = False


class AdviceStore:
    """Advice records of every athlete."""

    def __init__(self, client: redis.Redis, line: Line, scripts: Scripts) -> None:
        self._client = client
        self._line = line
        self._scripts = scripts

    def commit(
        self, snapshot: Snapshot, changes: Changes, next_due: datetime | None, left: Evaluated | None = None
    ) -> Committed:
        """Write `changes` and the next due time, and clear the dirty mark, if `snapshot` is still how things stand.

        `left` is what the next evaluation may rely on.
        """
        return self.commit_many([Commit(snapshot, changes, next_due, left)])[0]

    def commit_many(self, commits: Sequence[Commit]) -> list[Committed]:
        """`commit` several athletes in one round trip: each as a whole or not at all.

        In the same trip notify workers are asked for those that leave something in their outbox.
        """
        wanted = [
            keys.athlete_ref(each.snapshot.club, each.snapshot.athlete_id)
            for each in commits
            if each.changes.outbox
        ]
        call = asking("notify", wanted) if wanted else NOBODY
        answers = self._scripts.run_many([_commit_call(each) for each in commits], then=call.commands)
        heard = call.told(answers[len(commits) :])
        return [
            Committed(answer == _TAKEN, heard if each.changes.outbox else None, answer == _KNOWN)
            for each, answer in zip(commits, answers, strict=False)
        ]

    def find(self, club: str, athlete: str, ids: Collection[str]) -> dict[str, AdviceRecord]:
        """Return those of `ids` that the athlete has ever been given."""
        return self.find_many([(club, athlete, ids)])[0]

    def find_many(self, wanted: Sequence[tuple[str, str, Collection[str]]]) -> list[dict[str, AdviceRecord]]:
        """`find` for several (club, athlete, ids), in one round trip or, where there are no ids, in none."""
        return self._line.read(among(wanted))

    def get(self, club: str, advice_id: str) -> AdviceRecord | None:
        """Return one piece of the club's advice, or None."""
        if not advice_id.startswith("adv_"):
            return None
        with store_errors():
            owner = self._client.hget(keys.PartitionKeys(advice_id[4:6]).advice_owner, advice_id)
        if owner is None:
            return None
        owner_club, athlete = keys.split_ref(str(owner))
        return self.find(club, athlete, [advice_id]).get(advice_id) if owner_club == club else None

    def traces(self, record: AdviceRecord) -> tuple[Trace, ...]:
        """Return what the advice's changes rested on, the earliest first: of each verdict, the latest."""
        place = keys.AthleteKeys(record.advice.club, record.advice.athlete)
        with store_errors():
            found = self._client.hmget(
                place.traces, [f"{record.advice.id}|{verdict}" for verdict in TRACE_VERDICTS]
            )
        traces = (decode(str(text), Trace) for text in found if text is not None)
        return tuple(sorted(traces, key=lambda trace: trace.at))

    def page(
        self,
        club: str,
        athlete: str,
        states: frozenset[State] | None,
        categories: frozenset[Category] | None,
        cursor: str | None,
        limit: int,
    ) -> Page[AdviceRecord]:
        """Return up to `limit` records, the newest first, that are in one of `states` and `categories` (None: any)."""
        place = keys.AthleteKeys(club, athlete)
        offset = offset_of(cursor)
        chosen: list[AdviceRecord] = []
        while True:
            with store_errors():
                names = [
                    str(name) for name in self._client.zrevrange(place.advice_index, offset, offset + 199)
                ]
            if not names:
                return Page(tuple(chosen))
            found = self.find(club, athlete, names)
            for name in names:
                record = found.get(name)
                if record and _matches(record, states, categories):
                    if len(chosen) == limit:
                        return Page(tuple(chosen), str(offset))
                    chosen.append(record)
                offset += 1

    def feedback(self, club: str, advice_id: str, verdict: Verdict, now: datetime) -> AdviceRecord | None:
        """Add the athlete's verdict. Standing advice is acknowledged by it, or dismissed. None: no such advice."""
        while True:
            record = self.get(club, advice_id)
            if record is None:
                return None
            place = keys.AthleteKeys(club, record.advice.athlete)
            answered = _answered(record, verdict, now)
            written = self._scripts.run(
                "feedback",
                [place.advice, place.standing, place.meta, keys.rule_counts(place.tag, club)],
                [
                    advice_id,
                    encode(record),
                    encode(answered),
                    "1" if answered.state in STANDING else "0",
                    f"{record.advice.rule}|{verdict}",
                    f"{record.advice.rule}|{record.feedback[-1]}" if record.feedback else "",
                ],
            )
            if written:
                return answered

    def counts(self, club: str) -> dict[str, dict[str, int]]:
        """Return the counts of each rule that ever spoke to the club: `issued`, `withdrawn`, and the verdicts by name.

        A piece of advice counts once as issued, for each time it was withdrawn, and under the latest verdict on it.
        """
        with store_errors():
            pipeline = self._client.pipeline(transaction=False)
            for number in range(PARTITIONS):
                pipeline.hgetall(keys.rule_counts(f"{number:02x}", club))
            found: list[dict[str, str]] = pipeline.execute()
        totals: dict[str, dict[str, int]] = {}
        for each in found:
            for name, count in each.items():
                rule, _, what = name.rpartition("|")
                of_rule = totals.setdefault(rule, {})
                of_rule[what] = of_rule.get(what, 0) + int(count)
        return totals


def among(wanted: Sequence[tuple[str, str, Collection[str]]]) -> Reading[list[dict[str, AdviceRecord]]]:
    """Read those of each (club, athlete, ids) that the athlete has ever been given."""
    asked = [(keys.AthleteKeys(club, athlete).advice, list(ids)) for club, athlete, ids in wanted if ids]

    def told(answers: list[Any]) -> list[dict[str, AdviceRecord]]:
        found = iter(
            {
                name: decode(text, AdviceRecord)
                for name, text in zip(ids, texts, strict=True)
                if text is not None
            }
            for (_, ids), texts in zip(asked, answers, strict=True)
        )
        return [next(found) if ids else {} for _, _, ids in wanted]

    return Reading([("HMGET", name, *ids) for name, ids in asked], told)


def _commit_call(commit: Commit) -> Call:
    snapshot, changes = commit.snapshot, commit.changes
    place = keys.AthleteKeys(snapshot.club, snapshot.athlete_id)
    index = keys.PartitionKeys(place.tag)
    arguments: list[str | int] = [
        place.ref,
        snapshot.inputs,
        snapshot.commits,
        "" if commit.next_due is None else to_ms(commit.next_due),
        CALL_LEASE_MS,
        "" if commit.left is None else encode(commit.left),
        *(("", "", "") if commit.digest is None else _digest(commit.digest)),
        len(changes.records),
    ]
    counts = [name for record in changes.records if (name := _counted(record)) is not None]
    arguments += [len(counts), len(commit.new), *commit.new, *counts]
    for record in changes.records:
        standing = "1" if record.state in STANDING else "0"
        arguments += [record.advice.id, encode(record), to_ms(record.issued_at), standing]
    arguments.append(len(changes.traces))
    for name, trace in changes.traces.items():
        arguments += [f"{name}|{trace.verdict}", encode(trace)]
    arguments += [encode(draft) for draft in changes.outbox]
    return (
        "commit",
        [
            place.meta, place.advice, place.advice_index, place.standing, place.outbox,
            index.dirty, index.due, index.outboxes, index.advice_owner, keys.rule_counts(place.tag, snapshot.club),
            place.traces, place.news, place.digest,
        ],
        arguments,
    )  # fmt: skip


def _digest(kept: KeptDigest) -> tuple[str, int, str]:
    return kept.name, to_ms(kept.until), kept.text


def _counted(record: AdviceRecord) -> str | None:
    """Return the count that a commit of this record raises: written with it, so that no crash can part the two."""
    if record.revision == 0 and record.state == "active":
        return f"{record.advice.rule}|issued"
    return f"{record.advice.rule}|withdrawn" if record.state == "withdrawn" else None


def _answered(record: AdviceRecord, verdict: Verdict, now: datetime) -> AdviceRecord:
    heard = replace(record, feedback=(*record.feedback, verdict))
    if record.state not in STANDING:
        return heard
    dismissed = verdict == "dismiss"
    return replace(heard, state="dismissed" if dismissed else "acknowledged", changed_at=now, quiet=dismissed)


def _matches(
    record: AdviceRecord, states: frozenset[State] | None, categories: frozenset[Category] | None
) -> bool:
    return (states is None or record.state in states) and (
        categories is None or record.advice.category in categories
    )
