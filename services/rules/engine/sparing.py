"""Which findings are said: those that no other mutes, and of these the first few of a day."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.rules.engine.anchors import Due
from services.rules.engine.around import around
from services.rules.engine.calendar import midnight
from services.rules.engine.facts import Asked
from services.rules.engine.judge import judge
from services.rules.engine.periods import Periods
from services.rules.language.model import Rule, Rulebook
from shared.contracts.advice import Advice, Category, Severity

_INSTANT = timedelta(milliseconds=1)
_SPEAKING: Mapping[Category, int] = {
    "safety": 0,
    "recovery": 1,
    "ordering": 1,
    "surplus": 2,
    "hydration": 2,
    "variety": 2,
    "supplement": 3,
}
"""The order of claims: of what falls due at one instant, the earlier is said."""


class Finding(NamedTuple):
    """Advice that a live rule has at an anchor."""

    rule: Rule
    due: Due
    advice: Advice


@dataclass(frozen=True, slots=True)
class _Group:
    """What shares one allowance: a pack's advice of one severity on anchors that fall due on one local day."""

    pack: str
    severity: Severity
    day: date

    def holds(self, rule: Rule) -> bool:
        """Whether advice of the rule counts here: not that of a shadow, nor what is said for safety's sake."""
        return (rule.pack, rule.severity, rule.mode) == (self.pack, self.severity, "live") and _counted(rule)


def _muted(findings: Sequence[Finding]) -> dict[str, str]:
    """Return, by advice id, the rule that mutes it: an active one that supersedes it for the same local day.

    A muted finding mutes nothing. The checker refuses cycles within one load of rules; should two loads form one,
    the finding that is asked about first stands.
    """
    if not any(finding.rule.supersedes for finding in findings):
        return {}
    decided: dict[int, str | None] = {}

    def muter(index: int) -> str | None:
        if index not in decided:
            decided[index] = None
            mine = findings[index]
            decided[index] = next(
                (
                    other.rule.id
                    for position, other in enumerate(findings)
                    if position != index and _mutes(other, mine) and muter(position) is None
                ),
                None,
            )
        return decided[index]

    found = ((finding, muter(index)) for index, finding in enumerate(findings))
    return {finding.advice.id: rule for finding, rule in found if rule is not None}


def _counted(rule: Rule) -> bool:
    """Whether there is a bound on how often the rule's advice is said: its pack sets one, and it is not for safety."""
    return rule.most_a_day is not None and rule.category != "safety"


def _over_the_most(
    active: Sequence[Finding],
    group: Callable[[Finding], _Group | None],
    past: Callable[[_Group], Sequence[Due]],
    judged: Callable[[_Group], Sequence[Finding]],
) -> frozenset[str]:
    """Return the ids of the active findings that come after as many as their pack says on one local day.

    What opened first is said; of one instant, by the order of claims, then by rule and anchor, so that nothing hangs
    on the order of events. Advice of that day whose time is over counts, if it would be said now: `past` gives a
    group's anchors of that kind, and `judged`, asked only where they could make a difference, those that hold.
    """
    grouped: dict[_Group, list[Finding]] = {}
    for finding in active:
        found = group(finding)
        if found is not None:
            grouped.setdefault(found, []).append(finding)
    over: set[str] = set()
    for each, members in grouped.items():
        most = max(member.rule.most_a_day or 0 for member in members)
        if len(members) + len(past(each)) > most:
            ordered = sorted([*members, *judged(each)], key=_order)
            over.update(finding.advice.id for finding in ordered[most:])
    return frozenset(over & {finding.advice.id for finding in active})


def _order(finding: Finding) -> tuple[object, ...]:
    return (finding.due.opens, _SPEAKING[finding.rule.category], finding.rule.id, finding.due.key)


def kept_back(
    findings: Sequence[Finding], rulebook: Rulebook, periods: Periods, now: datetime
) -> dict[str, str]:
    """Return why active findings are not said, by advice id."""
    if not findings:
        return {}
    past = _Past(rulebook, periods, now, findings)
    mute = {
        name: f"{rule} supersedes it and is active for the same local day"
        for name, rule in _muted(findings).items()
    }
    heard = [finding for finding in findings if finding.advice.id not in mute]
    over = _over_the_most(heard, past.group, past.anchors, past.findings)
    return mute | {
        finding.advice.id: f"{finding.rule.pack} gives at most {finding.rule.most_a_day} {finding.rule.severity}"
        " messages a day, and that many came before it"
        for finding in heard
        if finding.advice.id in over
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Past:
    """What fell due on a local day and is over, as far as the day's bound must know it."""

    rulebook: Rulebook
    periods: Periods
    now: datetime
    active: Sequence[Finding]

    def group(self, finding: Finding) -> _Group | None:
        """Return what the finding is counted in, if its pack sets a bound."""
        if not _counted(finding.rule):
            return None
        return _Group(finding.rule.pack, finding.rule.severity, self._day(finding.due))

    def anchors(self, group: _Group) -> list[Due]:
        """Return the anchors of the group's rules that fell due on its day and whose span has ended."""
        return [due for _, due in self._members(group)]

    def findings(self, group: _Group) -> list[Finding]:
        """Return those of them that hold, but for those that were muted: something that supersedes them held then."""
        members = self._hold(self._members(group))
        muting = {
            rule.id
            for generation in self.rulebook
            for rule in generation.rule_set.rules
            if not rule.supersedes.isdisjoint(member.rule.id for member in members)
        }
        if not muting:
            return members
        over = self._over(group.day, lambda rule: rule.mode == "live" and rule.id in muting)
        others = [*self.active, *self._hold(over)]
        return [member for member in members if not any(_mutes(other, member) for other in others)]

    def _members(self, group: _Group) -> list[tuple[Rule, Due]]:
        return [
            (rule, due) for rule, due in self._over(group.day, group.holds) if self._day(due) == group.day
        ]

    def _over(self, day: date, wanted: Callable[[Rule], bool]) -> Iterator[tuple[Rule, Due]]:
        """Yield the anchors whose span ended by now, and not before the day."""
        earliest = midnight(day) - timedelta(days=1)  # no zone is a whole day from UTC
        for due, together in around(self.rulebook, self.periods.timeline, self.now, earliest, wanted):
            if due.opens < due.closes <= self.now:
                yield from ((rule, due) for rule in together.rules)

    def _hold(self, pairs: Iterable[tuple[Rule, Due]]) -> list[Finding]:
        timeline = self.periods.timeline
        judged = (
            (rule, due, judge(rule, Asked(timeline, due), self.periods, due.closes - _INSTANT).advice)
            for rule, due in pairs
        )
        return [Finding(rule, due, advice) for rule, due, advice in judged if advice is not None]

    def _day(self, due: Due) -> date:
        return self.periods.timeline.calendar.day(due.due)


def _mutes(one: Finding, other: Finding) -> bool:
    """Whether `one` supersedes the other for the same local day, at a time at which both are open."""
    return (
        other.rule.id in one.rule.supersedes
        and one.due.day == other.due.day
        and one.due.opens < other.due.closes
        and other.due.opens < one.due.closes
    )
