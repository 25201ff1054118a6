"""How one rule of a file becomes the rule that the engine runs."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.rules.language import kinds
from services.rules.language.anchors import kind_of, parse_anchor
from services.rules.language.documents import Place, Plain
from services.rules.language.facts import parse_facts
from services.rules.language.faults import Fault
from services.rules.language.model import Computed, Fact, Rule
from services.rules.language.params import overlaid, param_kind, parse_params
from services.rules.language.references import cited
from services.rules.language.schema import RuleSchema, checked
from services.rules.language.scope import first_scope
from shared.contracts.athletes import Param


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as its file has it, and the params that files lay over its own, each with its layer, in order."""

    id: str
    pack: str
    version: int
    layer: int
    place: Place
    overlays: tuple[tuple[int, Place], ...] = ()
    most_a_day: Mapping[str, int] = field(default_factory=dict)
    citations: Mapping[str, str] = field(default_factory=dict)


def compile_rule(draft: Draft, faults: list[Fault]) -> Rule | None:
    """Return the rule, or None when it has faults, which are all added to `faults`."""
    below: list[Fault] = []
    rule = _rule(draft, below)
    faults.extend(below)
    return None if below else rule


def _rule(draft: Draft, faults: list[Fault]) -> Rule | None:
    place = draft.place
    found = checked(RuleSchema(), place, faults)
    if not isinstance(place.value, Mapping):
        return None
    anchor = parse_anchor(place, found, faults)
    before = len(faults)
    params = parse_params(place / "params", faults) if "params" in place.value else {}
    sound = len(faults) == before
    for _, overlay in draft.overlays if sound else ():
        params = overlaid(params, overlay, draft.id, faults)
    kinds_of_params = {name: param_kind(value) for name, value in params.items()}
    scope = first_scope(None if anchor is None else kind_of(anchor), kinds_of_params, faults)
    if not sound:
        scope.broken.add("params")
    facts = parse_facts(place / "facts", scope) if "facts" in place.value else ()
    requires = scope.expression(place / "requires", found.get("requires"), kinds.FLAG)
    when = scope.expression(place / "when", found.get("when"), kinds.FLAG)
    advise = found.get("advise")
    texts = advise if isinstance(advise, Mapping) else {}
    title = scope.template(place / "advise" / "title", texts.get("title"))
    message = scope.template(place / "advise" / "message", texts.get("message"))
    if not found.get("sources", [""]):
        hint = "say where it comes from: a study, a guideline, or whose experience"
        faults.append((place / "sources").fault("sources names no source", hint))
    _never_silent(place, found, faults)
    sources = cited(place / "sources", found.get("sources", ()), draft.citations, faults)
    if anchor is None or when is None or title is None or message is None or faults:
        return None
    spoken = [each for each in (requires, when, title, message) if each is not None]
    return Rule(
        id=draft.id,
        pack=draft.pack,
        version=draft.version,
        hash=_hash(draft, params, sources),
        category=found["category"],
        severity=found["severity"],
        anchor=anchor,
        when=when,
        title=title,
        message=message,
        expires=found["expires"],
        evidence=found["evidence"],
        settle=found["settle"],
        requires=requires,
        params=params,
        facts=facts,
        sources=sources,
        supersedes=frozenset(found.get("supersedes", ())),
        mode=found["mode"],
        most_a_day=draft.most_a_day.get(found["severity"]),
        names=frozenset().union(*(each.names for each in spoken), _names(facts)),
    )


def _never_silent(place: Place, found: Mapping[str, Any], faults: list[Fault]) -> None:
    expires, settle = found.get("expires"), found.get("settle")
    if isinstance(expires, timedelta) and isinstance(settle, timedelta) and settle >= expires:
        message = "settle reaches expires, so the advice would never be active"
        faults.append((place / "settle").fault(message, "settle for less, or let it expire later"))


def _names(facts: tuple[Fact, ...]) -> frozenset[str]:
    expressions = (fact.expression.names for fact in facts if isinstance(fact, Computed))
    return frozenset().union(*expressions)


def _hash(draft: Draft, params: Mapping[str, Param], sources: tuple[str, ...]) -> str:
    content = {
        "rule": {**draft.place.value, "sources": sources},
        "params": params,
        "pack": draft.pack,
        "version": draft.version,
    }
    return digest(content)


def digest(content: Plain) -> str:
    """Return the SHA-256 of canonical JSON, in hex."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
