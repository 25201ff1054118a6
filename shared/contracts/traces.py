"""What a rule found at one anchor, and why it did or did not speak: kept with advice, and told to who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.contracts.advice import AnchorRef, EventRef
from shared.contracts.events import Value

TraceVerdict = Literal[
    "holds", "kept_back", "does_not_hold", "insufficient_data", "error", "no_anchor", "pending"
]
TRACE_VERDICTS: tuple[TraceVerdict, ...] = (
    "holds", "kept_back", "does_not_hold", "insufficient_data", "error", "no_anchor", "pending",
)  # fmt: skip
"""`kept_back` holds, but another rule mutes it, the day's bound is reached, or its mode tells nobody.
`no_anchor`: what the rule looked at is gone."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One part of a condition, and what it came to; None when it could not be told for want of a value."""

    text: str
    held: bool | None


@dataclass(frozen=True, slots=True)
class Trace:
    """One rule at one anchor at one instant. `events` lists, under each fact over events, those it was taken of."""

    rule: str
    rule_version: int
    at: datetime
    anchor: AnchorRef
    opens: datetime
    closes: datetime
    verdict: TraceVerdict
    why: str
    conditions: tuple[Condition, ...] = ()
    facts: Mapping[str, Value] = field(default_factory=dict)
    events: Mapping[str, tuple[EventRef, ...]] = field(default_factory=dict)
    title: str | None = None
    message: str | None = None
