"""The shell around the engine: load an athlete, advise, commit. Safe when several workers hold the same athlete."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from celery import Celery

from services.rules.club_rules import shadowed
from services.rules.commit import reconcile
from services.rules.engine.advise import Evaluation, advise
from services.rules.rulebook import GoverningRules
from services.rules.sweep import wake
from services.rules.tracing import traces_of
from shared.broker import ROUTE
from shared.clock import Clock
from shared.store.advice import Changes
from shared.store.connect import Store
from shared.store.counters import Sample
from shared.store.timelines import Snapshot

MOST_TRIES = 20
"""An athlete whose evidence changes faster than it can be evaluated is left to the next wake-up, still marked."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RulesShell:
    """What a rules worker is made of."""

    store: Store
    clock: Clock
    rules: GoverningRules
    app: Celery

    def evaluate(self, athletes: Sequence[tuple[str, str]]) -> None:
        """Bring the advice of each (club, athlete) up to now, and wake the routing of what is to be told."""
        counts: Counter[tuple[str, str]] = Counter()
        failures: dict[str, Counter[str]] = defaultdict(Counter)
        route = []
        for club, athlete in athletes:
            try:
                if self._evaluate(club, athlete, counts, failures[club]):
                    route.append((club, athlete))
            except Exception:
                # The mark stays, so the sweep comes back to this athlete; the others must not wait for that.
                log.exception("evaluation.failed", club=club, athlete=athlete)
                counts["evaluations_failed_total", ""] += 1
        # Each commit has put its outbox into an index, so a crash before this costs a delivery the few seconds until
        # the tick finds it there. What is only counted comes after it, and delays nobody.
        wake(self.app, ROUTE, route)
        for club, failed in failures.items():
            self.store.rulebook.count_errors(club, failed)
        self.store.counters.add_many(
            [Sample(name, {"rule": rule} if rule else {}, amount) for (name, rule), amount in counts.items()]
        )

    def _evaluate(
        self, club: str, athlete: str, counts: Counter[tuple[str, str]], failures: Counter[str]
    ) -> bool:
        for _ in range(MOST_TRIES):
            rulebook, reach = self.rules.current(club)
            now = self.clock.now()
            snapshot = self.store.timelines.load(club, athlete, reach.since(now), now + reach.ahead)
            if not snapshot.dirty and (snapshot.next_due is None or snapshot.next_due > now):
                return False  # another worker was here first
            if self.rules.current(club)[0] is not rulebook:
                continue  # other rules came between the reads; of those that come later the commit knows
            found = advise(rulebook, snapshot.athlete, snapshot.events, now)
            stood = {record.advice.id for record in snapshot.standing}
            past = self.store.advice.find(club, athlete, found.active.keys() - stood)
            changes = reconcile(snapshot.standing, past, found.active, found.held, now)
            changes = replace(changes, traces=traces_of(changes.records, found, snapshot.athlete, now))
            # Before the commit: else a crash between the two would lose what a rule in shadow had said.
            self.store.overrides.note_shadowed(club, shadowed(found, now))
            committed = self.store.advice.commit(snapshot, changes, _next_due(snapshot, found, now))
            if committed.taken:
                self._report(club, athlete, changes, found, counts)
                failures.update(fault.rule for fault in found.faults)
                return committed.route
        log.warning("evaluation.outrun", club=club, athlete=athlete, tries=MOST_TRIES)
        return False

    def _report(
        self, club: str, athlete: str, changes: Changes, found: Evaluation, counts: Counter[tuple[str, str]]
    ) -> None:
        counts["evaluations_total", ""] += 1
        said = {draft.advice_id: draft.type for draft in changes.outbox}
        for record in changes.records:
            advice = record.advice
            event = said.get(advice.id, "advice.expired")
            counts[f"{event.replace('.', '_')}_total", advice.rule] += 1
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


def _next_due(snapshot: Snapshot, found: Evaluation, now: datetime) -> datetime | None:
    """Return when to look next: as the engine says, or when advice ends that stands though its rule fails now.

    That ends when it was said to, of which the engine knows nothing: its anchor may have moved since.
    """
    ends = [record.advice.expires_at for record in snapshot.standing if record.advice.id in found.held]
    instants = [end for end in ends if end > now]
    if found.next_due is not None:
        instants.append(found.next_due)
    return min(instants, default=None)
