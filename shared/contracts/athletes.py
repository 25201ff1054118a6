"""What Tandem knows of an athlete: the profile, and the zone history that makes "today" the athlete's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal, TypeAlias

Goal = Literal["build_muscle", "maintain", "lose_fat", "endurance"]
Sex = Literal["male", "female"]
EverydayActivity = Literal["sedentary", "light", "moderate", "high"]

GOALS: tuple[Goal, ...] = ("build_muscle", "maintain", "lose_fat", "endurance")
SEXES: tuple[Sex, ...] = ("male", "female")
EVERYDAY_ACTIVITIES: tuple[EverydayActivity, ...] = ("sedentary", "light", "moderate", "high")

Param: TypeAlias = float | str | bool | tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times between which the athlete is not written to; `start` after `end` spans midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """From `since` (UTC; None: from ever) the athlete lives in the IANA zone `timezone`."""

    since: datetime | None
    timezone: str


@dataclass(frozen=True, slots=True)
class Athlete:
    """A profile as the engine and the channels see it. Every field but `zones` may be missing (None).

    An athlete whose events came before a profile lives in UTC until one is put: the stated default.
    `params` holds the athlete's own overrides, by rule id and then param name.
    """

    club: str
    id: str
    zones: tuple[ZoneChange, ...] = (ZoneChange(None, "UTC"),)
    goal: Goal | None = None
    sex: Sex | None = None
    birth_year: int | None = None
    height_cm: float | None = None
    body_mass_kg: float | None = None
    everyday_activity: EverydayActivity | None = None
    email: str | None = None
    email_consent: bool = False
    locale: str | None = None
    supplements: bool = False
    quiet_hours: QuietHours | None = None
    no_energy_targets: bool = False
    pregnant: bool = False
    medical_care: bool = False
    params: Mapping[str, Mapping[str, Param]] = field(default_factory=dict)
    name: str | None = None
