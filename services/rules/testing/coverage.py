"""What the tests have seen of each rule: that it spoke, that it kept still, both sides of each of its conditions."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from services.rules.language.model import Rule, RuleSet
from services.rules.testing.replay import Outcomes

_SIDES = ("true", "false")


@dataclass(slots=True)
class Coverage:
    """What was seen so far. An instant counts when a test expects something then, and looks at the rule."""

    rules: dict[str, Rule] = field(default_factory=dict)
    _spoke: set[str] = field(default_factory=set)
    _still: set[str] = field(default_factory=set)
    _sides: dict[tuple[str, str], set[bool]] = field(default_factory=dict)

    def expect(self, rules: RuleSet) -> None:
        """Count these rules among those that should be tested: rules that are off cannot be."""
        for rule in rules.rules:
            if rule.mode != "off" and rule.id not in self.rules:
                self.rules[rule.id] = rule
                for text in _parts(rule):
                    self._sides.setdefault((rule.id, text), set())

    def see(self, outcomes: Outcomes) -> None:
        """Add what the engine said at the instants of a test."""
        for outcome in outcomes.values():
            for verdict in outcome.verdicts:
                if verdict.rule.id not in self.rules or verdict.outcome in {"pending", "error"}:
                    continue
                (self._spoke if verdict.outcome == "holds" else self._still).add(verdict.rule.id)
                for condition in verdict.conditions(outcome.local):
                    sides = self._sides.get((verdict.rule.id, condition.text))
                    if sides is not None and condition.held is not None:
                        sides.add(condition.held)

    def report(self) -> Iterator[str]:
        """Yield a line for all that no test has seen, and the sums at the end."""
        for name in sorted(self.rules):
            seen = {"speaks": self._spoke, "keeps still": self._still}
            missing = [f"no test in which it {what}" for what, names in seen.items() if name not in names]
            missing += [
                f"never {side}: {' '.join(text.split())}"
                for (rule, text), sides in self._sides.items()
                for side, value in zip(_SIDES, (True, False), strict=True)
                if rule == name and value not in sides
            ]
            yield from (f"{name}: {each}" for each in missing)
        both = sum(name in self._spoke and name in self._still for name in self.rules)
        sides = sum(len(seen) for seen in self._sides.values())
        yield (
            f"covered: {both} of {len(self.rules)} rules both speaking and still,"
            f" {sides} of {2 * len(self._sides)} sides of conditions"
        )


def _parts(rule: Rule) -> list[str]:
    """Return the parts of the rule's conditions that can come out either way."""
    whole = [rule.when] if rule.requires is None else [rule.requires, rule.when]
    parts = (part.source for expression in whole for part in expression.parts())
    return [text for text in dict.fromkeys(parts) if text not in _SIDES]
