"""The athlete and the events of a rule test: checked as the HTTP interface checks them, with places in the file."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from marshmallow import ValidationError

from services.rules.engine.calendar import Calendar
from services.rules.language.documents import Place, Plain
from services.rules.language.faults import Fault
from services.rules.language.schema import Duration, parsed
from services.rules.testing.scenario import Arrival
from shared.contracts import faults as contract
from shared.contracts.athlete_schema import AthleteSchema, read_athlete
from shared.contracts.athletes import Athlete
from shared.contracts.event_schema import read_event
from shared.contracts.wire_faults import faults_of

NOBODY: Final = Athlete("test", "athlete")
_SOURCE: Final = "test"
_ANY_YEAR: Final = datetime(9999, 1, 1, tzinfo=UTC)
OF_EVENT: Final = frozenset({"type", "at", "for", "id", "source", "revision", "arrives"})
_STEP: Final = re.compile(r"[^.\[\]]+")


def athlete_at(place: Place, faults: list[Fault]) -> Athlete | None:
    """Return the profile at `place`, or None with faults."""
    try:
        profile = AthleteSchema().load(_somewhere(place.value))
        return read_athlete(NOBODY.club, NOBODY.id, profile, _ANY_YEAR)
    except ValidationError as error:
        faults += _placed(place, faults_of(error, place.value))
    except contract.InvalidError as error:
        faults += _placed(place, error.faults)
    return None


def arrivals_at(places: Sequence[Place], calendar: Calendar, faults: list[Fault]) -> tuple[Arrival, ...]:
    """Return the events at `places`: their data stand beside `type` and `at`, and `for` is their length.

    An event is known when it `arrives`: at its end, unless the test says otherwise; a plan from ever.
    """
    seen: dict[tuple[str, int], tuple[Arrival, Place]] = {}
    arrivals = []
    for number, place in enumerate(places, 1):
        arrival = _arrival(place, number, calendar, faults)
        if arrival is None:
            continue
        event = arrival.event
        first, where = seen.setdefault((event.key, event.revision), (arrival, place))
        if first.event != event:
            message = f"another event, at {where.spot}, has this id and revision"
            faults.append(place.fault(message, "give it another id, or a higher `revision`"))
        arrivals.append(arrival)
    return tuple(arrivals)


def instant_at(place: Place, calendar: Calendar, faults: list[Fault]) -> datetime | None:
    """Return the instant at `place`: with an offset, or in the athlete's local time; None with a fault."""
    try:
        found = datetime.fromisoformat(place.value) if isinstance(place.value, str) else None
    except ValueError:
        found = None
    if found is None:
        message = f"{place.name} must be a time, in the athlete's own zone or with an offset"
        faults.append(
            place.fault(message, 'such as "2026-03-02T17:00" or "2026-03-02T17:00+01:00"', key=True)
        )
        return None
    if found.tzinfo is None:
        local = calendar.instant(found.date(), found.time())
        if local is None:
            faults.append(place.fault("the athlete's zone has no such day", "write another, or an offset"))
            return None
        if calendar.local(local).replace(tzinfo=None) != found:
            faults.append(place.fault("clocks jump over this time", "write another, or an offset"))
            return None
        found = local
    return found.astimezone(UTC).replace(microsecond=found.microsecond // 1000 * 1000)


def _arrival(place: Place, number: int, calendar: Calendar, faults: list[Fault]) -> Arrival | None:
    value = place.value
    if not isinstance(value, Mapping):
        faults.append(place.fault("an event must be a mapping", "such as {type: meal.logged, at: ..., ...}"))
        return None
    start = instant_at(place / "at", calendar, faults)
    data = {name: each for name, each in value.items() if name not in OF_EVENT}
    if "for" in value:
        data["duration_s"] = (parsed(Duration(), place / "for", faults) or timedelta()).total_seconds()
    raw = {
        "id": value.get("id", f"event-{number}"),
        "source": value.get("source", _SOURCE),
        "type": value.get("type"),
        "subject": NOBODY.id,
        "time": (start or _ANY_YEAR).isoformat(),
        "revision": value.get("revision", 0),
        "data": data,
    }
    try:
        found = read_event(raw, default_source=_SOURCE, now=start or _ANY_YEAR).event
    except contract.InvalidError as error:
        faults += _placed(place, error.faults)
        return None
    arrives = instant_at(place / "arrives", calendar, faults) if "arrives" in value else None
    if start is None:
        return None
    return Arrival(found, arrives or (None if found.type == "workout.planned" else found.end))


def _somewhere(profile: Plain) -> Plain:
    """Return the profile with a zone: tests that do not hang on one need not name it."""
    return {"timezone": "UTC", **profile} if isinstance(profile, Mapping) else profile


def _placed(place: Place, faults: Sequence[contract.Fault]) -> list[Fault]:
    """Return the contract's faults, each at the place in the file that it speaks of."""
    placed = []
    for fault in faults:
        said, _, meant = fault.message.partition(": did you mean ")
        name = fault.field.removeprefix("data.")
        at = _below(place, {"time": "at", "body": "", "data": ""}.get(name, name))
        if name == "duration_s" and at.value is None:
            written = "for" in (place.value or ())
            name, at = "for", place / "for" if written else at
            said = "must be at most 48h" if written else "is required: how long it took"
        about_key = at.value is None or "known" in said
        placed.append(at.fault(f"{name} {said}", f"did you mean {meant}" if meant else "", key=about_key))
    return placed


def _below(place: Place, field: str) -> Place:
    """Return the place that a contract's field, such as `sets[0].reps`, names below `place`."""
    for step in _STEP.findall(field):
        place = place / (int(step) if step.isdigit() else step)
    return place
