"""What the front door asks of the rules: services do not import each other, so it is handed over here."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from services.ingest.parts import CheckedOverride, UnknownRuleError
from shared.contracts.faults import Fault, InvalidError, nearest
from shared.contracts.overrides import MOST_RULES, Override
from shared.contracts.traces import Trace
from shared.store.connect import Store
from shared.store.rulebook import RuleInfo

if TYPE_CHECKING:
    from services.rules.language.faults import Fault as RuleFault
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
                governing = self._governing().current(club)
            except NoRulesError as error:
                raise UnknownRuleError(str(error)) from error
        known = {each.id for generation in governing.rulebook for each in generation.rule_set.rules}
        if rule not in known:
            near = nearest(rule, tuple(sorted(known))) or "; `GET /v1/rules` lists them"
            raise UnknownRuleError(f"names no rule{near}")
        reach = governing.reach
        snapshot = self.store.timelines.load(club, athlete, reach.since(at), at + reach.ahead)
        return trace(governing.rulebook, snapshot.athlete, snapshot.events, at, rule)

    def rules(self, club: str) -> tuple[RuleInfo, ...]:
        """Return the rules that speak in a club, by id."""
        if not self.store.rulebook.versions([club]).own[club]:
            current = self.store.rulebook.current()
            return current.rules if current else ()
        from services.rules.rulebook import NoRulesError, infos  # noqa: PLC0415 - the language is large to load

        with self._loading:
            try:
                rulebook = self._governing().current(club).rulebook
            except NoRulesError:
                return ()
        return tuple(infos(rulebook[-1].rule_set))

    def check(self, club: str, own: Override) -> CheckedOverride:
        """Return what `own` changes in a club; raise `InvalidError` with every fault of it."""
        from services.rules.club_rules import PARAMS, club_sources  # noqa: PLC0415 - the same
        from services.rules.language.doubts import doubts, unless_allowed  # noqa: PLC0415
        from services.rules.language.faults import RuleFileError  # noqa: PLC0415
        from services.rules.language.load import compile_sources  # noqa: PLC0415
        from services.rules.rulebook import NoRulesError  # noqa: PLC0415

        with self._loading:
            governing = self._governing()
            try:
                governing.current(club)
            except NoRulesError as error:
                raise InvalidError([Fault("body", f"cannot be checked yet: {error}")]) from error
            shared = governing.shared()[-1]
        places = {file.name: f"files[{index}].text" for index, file in enumerate(own.files)}
        places[PARAMS] = "params"
        try:
            rules, drafts = compile_sources(club_sources(shared.files, own))
        except RuleFileError as error:
            raise InvalidError([_told(fault, places) for fault in error.faults]) from error
        mine = [rule for rule in rules.rules if drafts[rule.id].place.document.file in places]
        count = len(mine)
        if count > MOST_RULES:
            message = f"hold {count} rules; at most {MOST_RULES} of a club's own are allowed"
            raise InvalidError([Fault("files", message)])
        before = {rule.id: rule.hash for rule in shared.rules}
        changed = sorted(rule.id for rule in rules.rules if before.get(rule.id) != rule.hash)
        warnings = [
            str(doubt)
            for rule in mine
            for doubt in unless_allowed(drafts[rule.id], doubts(rule, drafts[rule.id]))
        ]
        return CheckedOverride(tuple(changed), tuple(warnings))

    def _governing(self) -> "GoverningRules":
        from services.rules.rulebook import GoverningRules  # noqa: PLC0415

        if self._rules is None:
            self._rules = GoverningRules(self.store)
        return self._rules


def _told(fault: "RuleFault", places: Mapping[str, str]) -> Fault:
    """Return a fault of a rule file as one of the request's field that it came in; `files` for a shared file's."""
    hint = f"; {fault.hint}" if fault.hint else ""
    place = places.get(fault.file, "files")
    if not place.endswith(".text"):  # the caller has not seen that text, so a line of it would tell nothing
        return Fault(place, f"{fault.message}{hint}")
    where = f"line {fault.line}, column {fault.column}: "
    return Fault(place, f"{where}{fault.message}{hint}", fault.text.strip() or None)
