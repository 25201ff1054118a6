"""What one evaluation changes: the life of advice, as a pure function of what stood and what now holds."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.advice import Advice, AdviceEventType, AdviceRecord
from shared.store.advice import Changes
from shared.store.codec import encode
from shared.store.outbox import OutboxDraft

_NOTHING = Changes()


@dataclass(frozen=True, slots=True)
class _Step:
    """One record's change, and what is to be said of it (None: nothing)."""

    record: AdviceRecord
    say: AdviceEventType | None
    visible: bool = True


def reconcile(
    standing: Collection[AdviceRecord],
    past: Mapping[str, AdviceRecord],
    active: Mapping[str, Advice],
    held: Collection[str],
    now: datetime,
) -> Changes:
    """Return the records to write and the advice events to send, in the order of advice ids.

    `standing` are the records whose state the timeline supported so far; `past` those of `active` that ended earlier;
    `active` is what holds at `now`; `held` names advice whose rule failed, which is no evidence either way.
    """
    if not standing and not active:
        return _NOTHING
    steps = sorted(_steps(standing, past, active, held, now), key=lambda step: step.record.advice.id)
    return Changes(
        tuple(step.record for step in steps),
        tuple(
            OutboxDraft(
                step.record.advice.club,
                step.record.advice.athlete,
                step.record.advice.id,
                step.record.revision,
                step.say,
                now,
                step.visible,
            )
            for step in steps
            if step.say is not None
        ),
    )


def _steps(
    standing: Collection[AdviceRecord],
    past: Mapping[str, AdviceRecord],
    active: Mapping[str, Advice],
    held: Collection[str],
    now: datetime,
) -> Iterator[_Step]:
    stood = {record.advice.id: record for record in standing}
    for name, advice in active.items():
        if name not in stood:
            yield _issued(advice, past.get(name), now)
        elif advice is not stood[name].advice and encode(advice) != encode(stood[name].advice):
            yield _updated(advice, stood[name], now)
    for name, record in stood.items():
        if record.advice.expires_at <= now:
            if name not in active:
                yield _Step(replace(record, state="expired", changed_at=record.advice.expires_at), None)
        elif name not in active and name not in held:
            withdrawn = replace(record, state="withdrawn", revision=record.revision + 1, changed_at=now)
            yield _Step(withdrawn, "advice.withdrawn")


def _issued(advice: Advice, earlier: AdviceRecord | None, now: datetime) -> _Step:
    if earlier is None:
        return _Step(AdviceRecord(advice, 0, "active", now, now), "advice.issued")
    # Advice that was withdrawn and holds again is the same advice: it keeps its name and goes on counting revisions.
    revision = earlier.revision + 1
    if earlier.quiet and not _reads_otherwise(advice, earlier.advice):
        return _Step(
            AdviceRecord(advice, revision, "dismissed", now, now, earlier.feedback, quiet=True), None
        )
    return _Step(AdviceRecord(advice, revision, "active", now, now, earlier.feedback), "advice.issued")


def _updated(advice: Advice, record: AdviceRecord, now: datetime) -> _Step:
    visible = _reads_otherwise(advice, record.advice)
    changed = replace(record, advice=advice, revision=record.revision + 1, changed_at=now)
    if visible and record.state == "dismissed":
        # It was put away for what it said then; this is news.
        changed = replace(changed, state="active", quiet=False)
    return _Step(changed, "advice.updated", visible)


def _reads_otherwise(advice: Advice, before: Advice) -> bool:
    return (advice.title, advice.message, advice.severity) != (before.title, before.message, before.severity)
