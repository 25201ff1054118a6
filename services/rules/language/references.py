"""What rules rest on: references by key, each with its citation, what it found and its grade."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.rules.language.documents import Place
from services.rules.language.faults import Fault
from services.rules.language.schema import ReferenceSchema, checked, did_you_mean, shown

MAX_REFERENCES: Final = 2000
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
"""A key has a hyphen, so that a plain word is never taken for one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry: its citation, and where it stands."""

    citation: str
    layer: int
    place: Place


def add_references(place: Place, layer: int, known: dict[str, Reference], faults: list[Fault]) -> None:
    """Add the references that a file's mapping holds to those that are `known`; those of later layers replace them."""
    value = place.value
    if not isinstance(value, Mapping) or not 0 < len(value) <= MAX_REFERENCES:
        message = (
            f"references must map 1 to {MAX_REFERENCES:,} keys to what they stand for; found {shown(value)}"
        )
        faults.append(place.fault(message, "write {key: {citation: ..., found: ..., grade: ...}}", key=True))
        return
    for key in value:
        below = place / key
        if not KEY.fullmatch(key):
            message = (
                f"{shown(key)} is no key: small letters and digits joined by single hyphens, at least one"
            )
            faults.append(below.fault(message, "such as robineau-2016", key=True))
            continue
        found = checked(ReferenceSchema(), below, faults)
        other = known.get(key)
        if other is not None and other.layer == layer:
            message = f"the reference {key} is given twice, first at {other.place.spot}"
            faults.append(below.fault(message, "keep one", key=True))
        known[key] = Reference(found.get("citation", ""), layer, below)


def cited(
    place: Place, sources: Sequence[str], citations: Mapping[str, str], faults: list[Fault]
) -> tuple[str, ...]:
    """Return the sources as they are told: the citation for a key, and any other text as it stands.

    Where files hold references, what reads like a key must be one. Where none does, every source is its own text.
    """
    for index, source in enumerate(sources):
        if citations and source not in citations and KEY.fullmatch(source):
            message = f"there is no reference {shown(source)}"
            hint = did_you_mean(source, tuple(sorted(citations)), what="references")
            faults.append((place / index).fault(message, hint))
    return tuple(citations.get(source, source) for source in sources)
