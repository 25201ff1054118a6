"""What the names of a rule stand for at an anchor, before its facts: anchor, athlete, params, now, day and week."""

from datetime import datetime

from services.rules.engine.anchors import Due
from services.rules.engine.around import looks
from services.rules.engine.calendar import Calendar
from services.rules.engine.once import once
from services.rules.engine.periods import Period
from services.rules.engine.timeline import Timeline
from services.rules.language.model import Bound, Record, Rule
from shared.contracts.athletes import Athlete, Param


def bind(
    rule: Rule, due: Due, athlete: Athlete, timeline: Timeline, read: dict[str, Period], now: datetime
) -> dict[str, Bound]:
    """Return the names; `read` holds the periods that the rule reads. What it does not read costs nothing."""
    names: dict[str, Bound] = {name: period.record for name, period in read.items()} if read else {}
    if "anchor" in rule.names:
        names["anchor"] = _anchor(due, timeline)
    if "athlete" in rule.names:
        names["athlete"] = _athlete(athlete, due, timeline.calendar)
    if "params" in rule.names:
        own = rule.id in athlete.params
        names["params"] = Record("params", params_of(rule, athlete)) if own else _params(rule)
    if "now" in rule.names:
        names["now"] = looks(due, now)[0]
    return names


def params_of(rule: Rule, athlete: Athlete) -> dict[str, Bound]:
    """Return the rule's params with the athlete's own laid over them, where name and type are the rule's."""
    own = athlete.params.get(rule.id, {})
    return {name: _param(value, own.get(name)) for name, value in rule.params.items()}


@once
def _params(rule: Rule) -> Record:
    """Return the params of all athletes who have no own."""
    return Record("params", {name: _param(value, None) for name, value in rule.params.items()})


def _param(value: Param, own: Param | None) -> Bound:
    chosen = value if own is None or _kind(own) != _kind(value) else own
    if isinstance(chosen, bool | str):
        return chosen
    if isinstance(chosen, tuple | list):
        return [each if isinstance(each, str) else float(each) for each in chosen]
    return float(chosen)


def _kind(value: Param) -> object:
    """Return what a param holds, so that an override of another kind can be told; whole numbers are numbers."""
    if isinstance(value, tuple | list):
        return frozenset(_kind(each) for each in value) or frozenset({float})
    return type(value) if isinstance(value, bool | str) else float


def _anchor(due: Due, timeline: Timeline) -> Record:
    if due.event is not None:
        return timeline.record(due.event)
    kind = "daily_anchor" if due.kind == "daily" else "weekly_anchor"
    return Record(kind, {"start": due.start, "end": due.end, "date": due.day.isoformat()})


def _athlete(athlete: Athlete, due: Due, calendar: Calendar) -> Record:
    born = athlete.birth_year
    given: dict[str, Bound | None] = {
        "id": athlete.id,
        "name": athlete.name,
        "timezone": calendar.timezone(due.start),
        "goal": athlete.goal,
        "sex": athlete.sex,
        "birth_year": born,
        # The age that is reached in the anchor's year: the profile knows no birthday.
        "age": None if born is None else due.day.year - born,
        "height_cm": athlete.height_cm,
        "body_mass_kg": athlete.body_mass_kg,
        "everyday_activity": athlete.everyday_activity,
        "locale": athlete.locale,
        "supplements": athlete.supplements,
        "no_energy_targets": athlete.no_energy_targets,
        "pregnant": athlete.pregnant,
        "medical_care": athlete.medical_care,
    }
    return Record("athlete", {name: _number(value) for name, value in given.items() if value is not None})


def _number(value: Bound) -> Bound:
    return value if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
