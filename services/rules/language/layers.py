"""Which rule stands when several files speak of it: later layers replace rules and lay params over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from services.rules.language.documents import Document, Place
from services.rules.language.faults import Fault
from services.rules.language.references import Reference, add_references
from services.rules.language.rules import Draft
from services.rules.language.schema import MAX_RULES, PackSchema, RuleId, checked, did_you_mean, parsed, shown


@dataclass(frozen=True, slots=True)
class Layered:
    """A file with the place of its path among the paths that were loaded."""

    document: Document
    layer: int


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How many messages a day a pack gives, by severity, and where that is said."""

    most: Mapping[str, int]
    layer: int
    place: Place


def drafts(files: Iterable[Layered], faults: list[Fault]) -> dict[str, Draft]:
    """Return the rule that stands for each id, with the params laid over it, adding what is wrong to `faults`."""
    standing: dict[str, Draft] = {}
    bounds: dict[str, _Bounds] = {}
    references: dict[str, Reference] = {}
    ordered = sorted(files, key=attrgetter("layer"))
    for layer in dict.fromkeys(each.layer for each in ordered):
        documents = [each.document for each in ordered if each.layer == layer]
        packs = [(Place(document), checked(PackSchema(), Place(document), faults)) for document in documents]
        for place, pack in packs:
            _add_rules(place, pack, layer, standing, faults)
        for place, pack in packs:
            if "params" in pack:
                _add_params(place / "params", layer, standing, faults)
            if "most_a_day" in pack:
                _add_bounds(place, pack, layer, bounds, faults)
            if "references" in pack:
                add_references(place / "references", layer, references, faults)
    _check_bounds(bounds, standing, faults)
    citations = {key: reference.citation for key, reference in references.items()}
    return {
        name: replace(
            draft,
            most_a_day=bounds[draft.pack].most if draft.pack in bounds else {},
            citations=citations,
        )
        for name, draft in standing.items()
    }


def _add_rules(
    place: Place, pack: Mapping[str, Any], layer: int, standing: dict[str, Draft], faults: list[Fault]
) -> None:
    value = place.value
    if not isinstance(value, Mapping):
        return
    if "rules" not in value:
        if value.keys() <= {"pack", "version"}:  # else they may stand there misspelt
            faults.append(
                place.fault("the file has no rules", "add `rules:`, or `params:` for rules of other files")
            )
        return
    for key, example in (("pack", "NAME"), ("version", "1")):
        if key not in value:
            faults.append((place / key).fault(f"{key} is required beside rules", f"add `{key}: {example}`"))
    rules: Sequence[Any] = value["rules"] if isinstance(value["rules"], list) else ()
    if not rules:
        message = f"rules must be a list of rules; found {shown(value['rules'])}"
        faults.append((place / "rules").fault(message, "begin each rule with `- id: NAME`", key=True))
    if len(rules) > MAX_RULES:
        message = f"a pack has at most {MAX_RULES} rules; found {len(rules)}"
        faults.append((place / "rules").fault(message, "split the pack", key=True))
        return
    for index in range(len(rules)):
        name, version = pack.get("pack", ""), pack.get("version", 1)
        _add(Draft("", name, version, layer, place / "rules" / index), standing, faults)


def _add(draft: Draft, standing: dict[str, Draft], faults: list[Fault]) -> None:
    value = draft.place.value
    rule_id = value.get("id") if isinstance(value, Mapping) else None
    if not isinstance(rule_id, str) or parsed(RuleId(), draft.place / "id", []) is None:
        # The rule is checked all the same, under a name that no rule can have.
        rule_id = f"?{len(standing)}"
    other = standing.get(rule_id)
    if other is not None and other.layer == draft.layer:
        message = f"the rule {rule_id} is defined twice, first at {(other.place / 'id').spot}"
        hint = "rename one; to replace a rule, load its file from a later path"
        faults.append((draft.place / "id").fault(message, hint))
        rule_id = f"?{len(standing)}"
    standing[rule_id] = replace(draft, id=rule_id)


def _add_params(place: Place, layer: int, standing: dict[str, Draft], faults: list[Fault]) -> None:
    value = place.value
    if not isinstance(value, Mapping):
        message = f"params must map rules to params; found {shown(value)}"
        faults.append(place.fault(message, "write {rule-id: {param: value}}", key=True))
        return
    for rule_id in value:
        below = place / rule_id
        draft = standing.get(rule_id)
        if draft is None:
            known = tuple(sorted(each for each in standing if not each.startswith("?")))
            hint = did_you_mean(rule_id, known, what="rules") if known else "load the rules in the same run"
            faults.append(
                below.fault(f"there is no rule {shown(rule_id)} to lay params over", hint, key=True)
            )
            continue
        if not isinstance(below.value, Mapping):
            faults.append(
                below.fault(f"params must map names to values; found {shown(below.value)}", "{name: value}")
            )
            continue
        twice = [
            (name, other / name)
            for beside, other in draft.overlays
            for name in below.value
            if beside == layer and name in other.value
        ]
        for name, other in twice:
            message = f"{name} of {rule_id} is set twice, first at {other.spot}"
            faults.append((below / name).fault(message, "keep one", key=True))
        standing[rule_id] = replace(draft, overlays=(*draft.overlays, (layer, below)))


def _add_bounds(
    place: Place, pack: Mapping[str, Any], layer: int, bounds: dict[str, _Bounds], faults: list[Fault]
) -> None:
    most = place / "most_a_day"
    if "pack" not in pack:
        if "rules" not in place.value:  # else it is a fault already
            faults.append((place / "pack").fault("pack is required beside most_a_day", "add `pack: NAME`"))
        return
    other = bounds.get(pack["pack"])
    if other is not None and other.layer == layer:
        message = f"most_a_day of {pack['pack']} is set twice, first at {other.place.spot}"
        faults.append(most.fault(message, "keep one: it holds for all files of the pack", key=True))
        return
    bounds[pack["pack"]] = _Bounds(pack["most_a_day"], layer, most)


def _check_bounds(bounds: Mapping[str, _Bounds], standing: Mapping[str, Draft], faults: list[Fault]) -> None:
    """Refuse bounds for a pack that no rule is of: they would hold nothing back."""
    known = tuple(sorted({draft.pack for draft in standing.values() if draft.pack}))
    for name, bound in bounds.items():
        if name not in known:
            hint = did_you_mean(name, known, what="packs") if known else "load the rules in the same run"
            message = f"there is no rule of the pack {shown(name)} to set bounds for"
            faults.append(bound.place.fault(message, hint, key=True))
