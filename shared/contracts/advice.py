"""What a piece of advice is: its identity, its content, its states, and what it rests on."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.contracts.events import Value
from shared.contracts.partitions import partition_of_athlete

Category = Literal["ordering", "recovery", "surplus", "supplement", "variety", "hydration", "safety"]
Severity = Literal["info", "suggestion", "warning"]
Grade = Literal["strong", "moderate", "contested", "heuristic", "safety"]
State = Literal["active", "withdrawn", "expired", "acknowledged", "dismissed"]
Verdict = Literal["helpful", "not_helpful", "done", "dismiss"]
AdviceEventType = Literal["advice.issued", "advice.updated", "advice.withdrawn"]

CATEGORIES: tuple[Category, ...] = (
    "ordering", "recovery", "surplus", "supplement", "variety", "hydration", "safety",
)  # fmt: skip
SEVERITIES: tuple[Severity, ...] = ("info", "suggestion", "warning")
"""From the least to the most pressing; a filter's `min_severity` compares by this order."""
GRADES: tuple[Grade, ...] = ("strong", "moderate", "contested", "heuristic", "safety")
STATES: tuple[State, ...] = ("active", "withdrawn", "expired", "acknowledged", "dismissed")
VERDICTS: tuple[Verdict, ...] = ("helpful", "not_helpful", "done", "dismiss")
STANDING: frozenset[State] = frozenset({"active", "acknowledged", "dismissed"})
"""States in which the timeline still supports the advice."""


@dataclass(frozen=True, slots=True)
class AnchorRef:
    """The anchor of a piece of advice. `key` is the event's key, a local date, or an ISO week (`2026-W10`)."""

    kind: Literal["each", "daily", "weekly"]
    key: str
    due: datetime
    type: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventRef:
    """An event that led to the advice, as it stood when the rule was evaluated."""

    source: str
    id: str
    revision: int
    type: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Because:
    """Why: the anchor, the events the facts rest on (in timeline order), and every fact and param with its value.

    `left_out` is how many earlier events the facts rest on that are not listed.
    """

    anchor: AnchorRef
    events: tuple[EventRef, ...] = ()
    facts: Mapping[str, Value] = field(default_factory=dict)
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Advice:
    """What the engine says: content without history. Two equal values are the same advice, unchanged."""

    id: str
    club: str
    athlete: str
    rule: str
    rule_version: int
    rule_hash: str
    category: Category
    severity: Severity
    title: str
    message: str
    due: datetime
    expires_at: datetime
    because: Because
    evidence: Grade
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdviceRecord:
    """What the store keeps: the advice, how often its content changed, and what became of it."""

    advice: Advice
    revision: int
    state: State
    issued_at: datetime
    changed_at: datetime
    feedback: tuple[Verdict, ...] = ()
    quiet: bool = False
    """Dismissed, and what it says has not changed since: it is not said again, also when it comes and goes."""


def advice_id(club: str, athlete: str, rule: str, anchor: str) -> str:
    """The one name of the advice that `rule` gives `athlete` on `anchor`; its first two hex digits place it."""
    digest = hashlib.sha256("\x1e".join((club, athlete, rule, anchor)).encode()).digest()
    name = base64.b32encode(digest[:15]).decode().lower()
    return f"adv_{partition_of_athlete(club, athlete):02x}{name}"
