"""What one evaluation changes: the life of advice, as a pure function of what stood and what now holds."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.contracts.advice import Advice, AdviceEventType, AdviceRecord
from shared.store.advice import Changes
from shared.store.codec import encode
from shared.store.outbox import OutboxDraft


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
        elif encode(advice) != encode(stood[name].advice):
            yield _updated(advice, stood[name], now)
    for name, record in stood.items():
        if record.advice.expires_at <= now:
            if name not in active:
                yield _Step(replace(record, state="expired", changed_at=record.advice.expires_at), None)
        elif name not in active and name not in held:
            withdrawn = replace(record, state="withdrawn", revision=record.revision + 1, changed_at=now)
            yield _Step(withdrawn, "advice.withdrawn")


def _issued(advice: Advice, earlier: AdviceRecord | None, now: datetime) -> _Step:
    # Advice that was withdrawn and holds again is the same advice: it keeps its name and goes on counting revisions.
    revision = 0 if earlier is None else earlier.revision + 1
    feedback = () if earlier is None else earlier.feedback
    return _Step(AdviceRecord(advice, revision, "active", now, now, feedback), "advice.issued")


def _updated(advice: Advice, record: AdviceRecord, now: datetime) -> _Step:
    before = record.advice
    visible = (advice.title, advice.message, advice.severity) != (
        before.title,
        before.message,
        before.severity,
    )
    changed = replace(record, advice=advice, revision=record.revision + 1, changed_at=now)
    return _Step(changed, "advice.updated", visible)
