"""The shell around the engine: load an athlete, advise, commit. Safe when several workers hold the same athlete."""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

import structlog
from celery import Celery

from services.rules.club_rules import shadowed
from services.rules.commit import reconcile
from services.rules.digests import ends, made, oldest_end, opened
from services.rules.engine.advise import Evaluation, advise
from services.rules.engine.digest import UNDIGESTED, NotReadError
from services.rules.engine.earlier import Earlier
from services.rules.rulebook import Governing, GoverningRules
from services.rules.tracing import traces_of
from shared.clock import Clock
from shared.contracts.advice import AdviceRecord
from shared.on_call import EVALUATION, ROUTING, OnCall, left_to_the_tick
from shared.store.advice import Commit
from shared.store.connect import Store
from shared.store.counters import Sample
from shared.store.rulebook import questions, told
from shared.store.timelines import Evaluated, KeptDigest, Snapshot, Wanted

MOST_TRIES = 20
"""An athlete whose evidence changes faster than it can be evaluated is left to the next wake-up, still marked."""

AT_ONCE = 8
"""Athletes that are read and committed in one round trip: few, for what changes meanwhile is evaluated again."""
MOST_TAKEN = AT_ONCE
"""Athletes that a worker takes at a time: few, so that at a burst's end none is idle while another has them."""
SLICE_S = 0.05
"""How long a worker goes on with what it was woken for before it goes to the end of the queue: nobody waits longer."""
Name: TypeAlias = tuple[str, str]
"""A club's id and an athlete's."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RulesShell:
    """What a rules worker is made of."""

    store: Store
    clock: Clock
    rules: GoverningRules
    app: Celery

    def drain(self, partitions: Sequence[int]) -> None:
        """Evaluate who waits in these partitions, until nobody does or the slice of time is over."""
        tally = _Tally()
        left = tuple(partitions)
        over = time.monotonic() + SLICE_S
        try:
            while left and time.monotonic() < over:
                taken = self.store.due.take(left, max(1, MOST_TAKEN // len(left)))
                self._bring_all_up(taken.athletes, tally)
                left = taken.more
        finally:  # what was committed is told and logged, whatever the store does meanwhile
            self._finish(tally, left)

    def evaluate(self, athletes: Sequence[Name]) -> None:
        """Bring the advice of each (club, athlete) up to now, and wake the routing of what is to be told."""
        tally = _Tally()
        self._bring_all_up(list(dict.fromkeys(athletes)), tally)
        self._finish(tally)

    def _bring_all_up(self, athletes: Sequence[Name], tally: "_Tally") -> None:
        for start in range(0, len(athletes), AT_ONCE):
            self._bring_up(athletes[start : start + AT_ONCE], tally)

    def _finish(self, tally: "_Tally", left: Sequence[int] = ()) -> None:
        # Each commit has asked for the routing of its outbox, so a crash before this costs a delivery the time until
        # the tick wakes somebody for it. What is only counted comes after it, and delays nobody.
        if tally.unheard:
            with left_to_the_tick():
                OnCall(self.store.calls, self.app, ROUTING).wake()
        if left:
            with left_to_the_tick():
                OnCall(self.store.calls, self.app, EVALUATION).call(left)
        for commit, found in tally.done:
            self._report(commit, found, tally)
        for club, failed in tally.failures.items():
            self.store.rulebook.count_errors(club, failed)
        self.store.counters.add_many(
            [
                Sample(name, {"rule": rule} if rule else {}, amount)
                for (name, rule), amount in tally.counts.items()
            ]
        )

    def _bring_up(self, athletes: Sequence[Name], tally: "_Tally") -> None:
        left = athletes
        if len(athletes) > 1:
            # One at which the evaluation fails must not keep the others waiting: which it is shows when they are alone.
            try:
                left = self._round(athletes, tally)
            except Exception:
                log.warning("evaluation.divided", athletes=athletes, exc_info=True)
        # Alone, an athlete is read, evaluated and committed before more comes, even while an import is under way.
        for each in left:
            self._bring_up_alone(each, tally)

    def _bring_up_alone(self, athlete: Name, tally: "_Tally") -> None:
        club, name = athlete
        try:
            for _ in range(MOST_TRIES):
                if not self._round([athlete], tally):
                    return
        except Exception:
            # The mark stays, so the sweep comes back to this athlete.
            log.exception("evaluation.failed", club=club, athlete=name)
            tally.counts["evaluations_failed_total", ""] += 1
        else:
            log.warning("evaluation.outrun", club=club, athlete=name, tries=MOST_TRIES)

    def _round(self, athletes: Sequence[Name], tally: "_Tally") -> list[Name]:
        """Read these athletes together, evaluate each, commit together. Return those that something overtook."""
        governing = {club: self.rules.known(club) for club, _ in athletes}
        now = self.clock.now()
        snapshots = self._read(athletes, governing, now, digest=True)
        found, unread = [], []
        for name, snapshot in snapshots.items():
            if _waits(snapshot, now):
                try:
                    found.append(_advised(snapshot, governing[name[0]], now, snapshot.digest))
                except NotReadError:
                    unread.append(name)
        whole = self._read(unread, governing, now, digest=False)
        found += [
            _advised(snapshot, governing[name[0]], now, snapshots[name].digest)
            for name, snapshot in whole.items()
            if _waits(snapshot, now)
        ]
        stale = [each for each in athletes if each not in (whole if each in unread else snapshots)]
        return [*stale, *self._commit(found, now, tally)]

    def _read(
        self, athletes: Sequence[Name], governing: Mapping[str, Governing], now: datetime, *, digest: bool
    ) -> dict[Name, Snapshot]:
        """Read these athletes, without those whose club has other rules: of rules that come later the commit knows."""
        if not athletes:
            return {}
        clubs = list(governing)
        snapshots, answers = self.store.timelines.load_and_ask(
            [_wanted(each, governing[each[0]], now, digest=digest) for each in athletes], questions(clubs)
        )
        current = self.rules.current_many(told(answers, clubs))
        return {
            name: snapshot
            for name, snapshot in zip(athletes, snapshots, strict=True)
            if current[name[0]].version == governing[name[0]].version
        }

    def _commit(self, found: Sequence["_Advised"], now: datetime, tally: "_Tally") -> list[Name]:
        """Commit what was found. Return those whose evidence has changed since it was read."""
        for each in found:
            # Before the commit: else a crash between the two would lose what a rule in shadow had said.
            self.store.overrides.note_shadowed(each.snapshot.club, shadowed(each.evaluation, now))
        # Most advice was never given before; only where some was, it is read, and that counted on.
        again, overtaken = self._try([(each, None) for each in found], now, tally)
        past = self.store.advice.find_many([each.unknown() for each in again])
        return overtaken + self._try(list(zip(again, past, strict=True)), now, tally)[1]

    def _try(
        self,
        found: Sequence[tuple["_Advised", Mapping[str, AdviceRecord] | None]],
        now: datetime,
        tally: "_Tally",
    ) -> tuple[list["_Advised"], list[Name]]:
        """Commit in one round trip. Return those with advice that was given before, and those that were overtaken."""
        commits = [each.commit(ended, now) for each, ended in found]
        again, overtaken = [], []
        for (each, _), commit, done in zip(
            found, commits, self.store.advice.commit_many(commits), strict=True
        ):
            if done.taken:
                tally.done.append((commit, each.evaluation))
                tally.unheard |= done.heard is not None and not done.heard.free
            elif done.known:
                again.append(each)
            else:
                overtaken.append(each.name)
        return again, overtaken

    def _report(self, commit: Commit, found: Evaluation, tally: "_Tally") -> None:
        club, athlete = commit.snapshot.club, commit.snapshot.athlete_id
        tally.failures[club].update(fault.rule for fault in found.faults)
        tally.counts["evaluations_total", ""] += 1
        said = {draft.advice_id: draft.type for draft in commit.changes.outbox}
        for record in commit.changes.records:
            advice = record.advice
            event = said.get(advice.id, "advice.expired")
            tally.counts[f"{event.replace('.', '_')}_total", advice.rule] += 1
            log.info(
                event,
                club=club,
                athlete=athlete,
                advice_id=advice.id,
                rule=advice.rule,
                revision=record.revision,
                state=record.state,
            )
        for fault in found.faults:
            log.error(
                "rule.failed",
                club=club,
                athlete=athlete,
                rule=fault.rule,
                anchor=fault.anchor,
                error=fault.message,
            )


@dataclass(slots=True)
class _Tally:
    """What one call has come to: whether a notify worker is to be woken, what was committed, and what is counted."""

    unheard: bool = False
    done: list[tuple[Commit, Evaluation]] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


@dataclass(frozen=True, slots=True)
class _Advised:
    """One athlete as read, what was found, and what that leaves to the next evaluation."""

    snapshot: Snapshot
    evaluation: Evaluation
    left: Evaluated
    digest: KeptDigest | None

    @property
    def name(self) -> Name:
        return (self.snapshot.club, self.snapshot.athlete_id)

    def unknown(self) -> tuple[str, str, Collection[str]]:
        """Name the active advice that does not stand: it may have ended earlier."""
        stood = {record.advice.id for record in self.snapshot.standing}
        return (*self.name, self.evaluation.active.keys() - stood)

    def commit(self, ended: Mapping[str, AdviceRecord] | None, now: datetime) -> Commit:
        """Return what is to be written; `ended` are those of `unknown` that there were, None where that is open."""
        found = self.evaluation
        changes = reconcile(self.snapshot.standing, ended or {}, found.active, found.held, now)
        traces = traces_of(changes.records, found, now)
        if traces:
            changes = replace(changes, traces=traces)
        new = self.unknown()[2] if ended is None else ()
        return Commit(
            self.snapshot, changes, _next_due(self.snapshot, found, now), self.left, self.digest, new
        )


def _wanted(name: Name, governing: Governing, now: datetime, *, digest: bool) -> Wanted:
    """Name what an evaluation reads, with older events summed up or each by itself."""
    since, until = governing.reach.since(now), now + governing.reach.ahead
    if not digest:
        return Wanted(*name, since, until)
    return Wanted(*name, since, until, governing.layout.version, oldest_end(now), UNDIGESTED)


def _advised(snapshot: Snapshot, governing: Governing, now: datetime, kept: KeptDigest | None) -> _Advised:
    """Evaluate; raise `NotReadError` when a digest stands for events that are needed.

    `kept` is the digest that the store has, whether it stands for events of this snapshot or not.
    """
    digest = None if snapshot.digest is None else opened(governing.layout, snapshot.digest)
    earlier = _earlier(snapshot, governing.version, now)
    found = advise(governing.rulebook, snapshot.athlete, snapshot.events, now, earlier, digest)
    left = Evaluated(now, governing.version, tuple(sorted(found.unsettled)))
    until = ends(snapshot.events, now, governing.recent)
    if not governing.layout.fields or (kept is not None and kept.until >= until):
        return _Advised(snapshot, found, left, None)
    since = governing.reach.since(now)
    return _Advised(snapshot, found, left, made(governing.layout, digest, snapshot.events, since, until))


def _waits(snapshot: Snapshot, now: datetime) -> bool:
    """Whether the athlete is to be evaluated; else another worker was here first."""
    return snapshot.dirty or (snapshot.next_due is not None and snapshot.next_due <= now)


def _earlier(snapshot: Snapshot, version: str, now: datetime) -> Earlier | None:
    """Return what the last evaluation spares this one; None when rules, profile or clock are not what they were."""
    last = snapshot.evaluated
    if last is None or snapshot.news is None or last.rules != version or last.at > now:
        return None
    stood = {
        (record.advice.rule, record.advice.because.anchor.key): record.advice for record in snapshot.standing
    }
    return Earlier(last.at, stood, frozenset(last.unsettled), snapshot.news)


def _next_due(snapshot: Snapshot, found: Evaluation, now: datetime) -> datetime | None:
    """Return when to look next: as the engine says, or when advice ends that stands though its rule fails now.

    That ends when it was said to, of which the engine knows nothing: its anchor may have moved since.
    """
    ends = [record.advice.expires_at for record in snapshot.standing if record.advice.id in found.held]
    instants = [end for end in ends if end > now]
    if found.next_due is not None:
        instants.append(found.next_due)
    return min(instants, default=None)
