"""What the reference says of names that the code knows but does not explain."""

from collections.abc import Mapping
from typing import Final

WARNINGS: Final[Mapping[str, str]] = {
    "never-holds": "the condition is false whatever happens",
    "unused-fact": "nothing uses the fact",
    "window-after-due": "an `after` window is still open when the rule first looks (unless the rule speaks at once and "
    "lets what comes later take it back)",
    "changed-unversioned": "the rule is another than in the files that `--against PATH` names, under the same version",
    "no-test-holding": "no test beside the rule makes it speak",
    "no-test-silent": "no test beside the rule looks at it while it keeps still",
    "no-test-late": "no test of the rule brings something late (`arrives:`, a revision, a deletion)",
}
OVER: Final = "over it, the rule fails for that anchor and is counted in `GET /v1/rules`; the others go on"
OPERATORS: Final[Mapping[str, str]] = {
    "ne": "is another value", "gt": "is over it", "gte": "is it or over it", "lt": "is under it",
    "lte": "is it or under it",
}  # fmt: skip
EVENTS: Final[Mapping[str, str]] = {
    "workout.completed": "a session that took place",
    "workout.planned": "a session that is yet to come",
    "meal.logged": "what was eaten or drunk",
    "day.closed": "whether that local day's diary is whole",
    "supplement.taken": "a supplement",
    "checkin.recorded": "how the athlete is; at least one of these",
}
_TEXT_METHOD = 'of a text: `anchor.title.contains("race")`'
_LIST_METHOD = "of a list, at most two inside each other"
_TIME_METHOD = (
    "of a time, in UTC or the zone in its brackets; for the athlete's own hour, `local_hour(t)`. "
    "`getDate` counts from 1, `getDayOfMonth`, `getDayOfYear` and `getMonth` from 0, `getDayOfWeek` from 0 for Sunday"
)
FUNCTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "hours": ("hours(d)", "a duration as a number of hours: `hours(anchor.start - lift.end)`"),
    "minutes": ("minutes(d)", "a duration as a number of minutes"),
    "days": ("days(d)", "a duration as a number of days of 24 hours"),
    "local_hour": ("local_hour(t)", "the athlete's local time of day as a number: 14.5 is 14:30"),
    "has": ("has(x.y)", "whether the field is there"),
    "size": ("size(x)", "how many elements or characters; `x.size()` is the same"),
    "int": ("int(x)", "a number without its decimals, cut off"),
    "double": ("double(x)", "a number"),
    "string": ("string(x)", "a text"),
    "bool": ("bool(x)", "a flag"),
    "duration": ('duration("90m")', "a duration"),
    "timestamp": ('timestamp("2026-03-02T17:00:00Z")', "a time"),
    "matches": ("matches(x, y)", "whether the text matches the RE2 pattern; `x.matches(y)` is the same"),
}
METHODS: Final[Mapping[str, str]] = {
    "contains": _TEXT_METHOD, "startsWith": _TEXT_METHOD, "endsWith": _TEXT_METHOD, "matches": _TEXT_METHOD,
    "all": _LIST_METHOD, "exists": _LIST_METHOD, "exists_one": _LIST_METHOD, "filter": _LIST_METHOD,
    "map": _LIST_METHOD, "size": "of a list or a text",
    "getDate": _TIME_METHOD, "getDayOfMonth": _TIME_METHOD, "getDayOfWeek": _TIME_METHOD, "getDayOfYear": _TIME_METHOD,
    "getFullYear": _TIME_METHOD, "getHours": _TIME_METHOD, "getMilliseconds": _TIME_METHOD, "getMinutes": _TIME_METHOD,
    "getMonth": _TIME_METHOD, "getSeconds": _TIME_METHOD,
}  # fmt: skip
UNITS: Final[Mapping[str, str]] = {
    "s": "seconds", "h": "hours", "m": "metres", "cm": "centimetres", "kg": "kilograms", "g": "grams",
    "ml": "millilitres", "kcal": "kilocalories", "bpm": "beats a minute", "c": "degrees Celsius",
}  # fmt: skip
"""By the last part of a field's name."""
RECKONED: Final[Mapping[str, str]] = {
    "session_load": "CR-10 RPE x minutes",
    "sessions": "how many",
    "strength_sessions": "how many",
    "endurance_sessions": "how many",
    "age": "years",
}
"""What is counted in the numbers whose names have no unit."""
DERIVED: Final[Mapping[str, str]] = {"session_load": "CR-10 RPE x minutes; absent without RPE and intensity"}
KINDS: Final[Mapping[str, str]] = {
    "number": "number", "text": "text", "flag": "flag", "time": "time", "duration": "duration",
    "numbers": "list of numbers", "texts": "list of texts", "records": "list of sets",
}  # fmt: skip
ELEMENT, SAME = "an element", "what it was given"
GIVES: Final[Mapping[str, str]] = {
    "default": SAME, "first": ELEMENT, "last": ELEMENT, "min": ELEMENT, "max": ELEMENT,
}  # fmt: skip
"""For the filters whose outcome hangs on what they are given."""
