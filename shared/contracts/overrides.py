"""What a club lays over the rules that all clubs share: files of its own and params, one version after another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from shared.contracts.athletes import Param

OverrideMode = Literal["live", "shadow"]
OVERRIDE_MODES: tuple[OverrideMode, ...] = ("live", "shadow")
MOST_FILES = 20
MOST_RULES = 100
"""Of a club's own, over all its files."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule file of a club's: its name and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Override:
    """One version. It governs anchors due from `since` on, until the next live one; in shadow it tells nobody.

    `params` maps rule ids to params, as the club wrote them. `restores` is the version whose content this one repeats.
    """

    version: int
    mode: OverrideMode
    since: datetime
    files: tuple[RuleText, ...] = ()
    params: Mapping[str, Mapping[str, Param]] = field(default_factory=dict)
    note: str | None = None
    restores: int | None = None

    @property
    def content(self) -> int:
        """The version that had this content first."""
        return self.version if self.restores is None else self.restores


@dataclass(frozen=True, slots=True)
class ShadowAdvice:
    """What a rule in shadow would have told an athlete, as it read when it was last looked at."""

    advice_id: str
    athlete_id: str
    rule: str
    rule_version: int
    rule_hash: str
    severity: str
    title: str
    message: str
    first_at: datetime
    expires_at: datetime


NOTHING = Override(0, "live", datetime.min.replace(tzinfo=UTC))
"""What is laid over before a club lays anything."""


def live_of(history: tuple[Override, ...]) -> Override:
    """Return the version that speaks."""
    return next((each for each in reversed(history) if each.mode == "live"), NOTHING)


def trial_of(history: tuple[Override, ...]) -> Override | None:
    """Return the version in shadow, unless a live one came after it."""
    return history[-1] if history and history[-1].mode == "shadow" else None


def before(history: tuple[Override, ...]) -> Override:
    """Return what a step back leads to: from a trial to what speaks, from what speaks to what spoke before it."""
    live = live_of(history)
    if trial_of(history) is not None:
        return live
    earlier = [
        each
        for each in history
        if each.mode == "live" and each.version < live.content and each.restores is None
    ]
    return earlier[-1] if earlier else NOTHING
