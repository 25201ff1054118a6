"""What the front door asks of the rules: services do not import each other, so it is handed over here."""

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from services.ingest.parts import UnknownRuleError
from shared.contracts.faults import nearest
from shared.contracts.traces import Trace
from shared.store.connect import Store

if TYPE_CHECKING:
    from services.rules.rulebook import GoverningRules


@dataclass(slots=True)
class RuleDesk:
    """Answers from the rules in force, which are loaded when something is first asked of them."""

    store: Store
    _rules: "GoverningRules | None" = None
    _loading: threading.Lock = field(default_factory=threading.Lock)

    def trace(self, club: str, athlete: str, rule: str, at: datetime) -> tuple[Trace, ...]:
        """Return what `rule` found about the athlete around `at`; raise `UnknownRuleError` when there is none."""
        from services.rules.rulebook import NoRulesError  # noqa: PLC0415 - the language is large to load
        from services.rules.tracing import trace  # noqa: PLC0415

        with self._loading:
            try:
                rulebook, reach = self._governing().current()
            except NoRulesError as error:
                raise UnknownRuleError(str(error)) from error
        known = {each.id for generation in rulebook for each in generation.rule_set.rules}
        if rule not in known:
            near = nearest(rule, tuple(sorted(known))) or "; `GET /v1/rules` lists them"
            raise UnknownRuleError(f"names no rule{near}")
        snapshot = self.store.timelines.load(club, athlete, at - reach.back, at + reach.ahead)
        return trace(rulebook, snapshot.athlete, snapshot.events, at, rule)

    def _governing(self) -> "GoverningRules":
        from services.rules.rulebook import GoverningRules  # noqa: PLC0415

        if self._rules is None:
            self._rules = GoverningRules(self.store)
        return self._rules
