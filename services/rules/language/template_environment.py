"""What templates run in: a sandbox with few filters, in which nothing grows without bound and absence is an error."""

import calendar
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn, Self

import jinja2
from jinja2 import filters, tests
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.rules.language import kinds
from services.rules.language.model import Bound, Local, Record

MOST_CHARACTERS: Final = 2_000
"""The longest text that a template, or any part of it, may give."""

_MOST_DECIMALS = 6
_NUMBER = frozenset({kinds.NUMBER})
_TEXT = frozenset({kinds.TEXT})
_LIST = frozenset({kinds.TEXTS, kinds.NUMBERS})
_ANY = frozenset({kinds.NUMBER, kinds.TEXT, kinds.FLAG, kinds.TIME, kinds.DURATION, *_LIST})

FILTERS: Final[Mapping[str, tuple[frozenset[str], str | None]]] = {
    "round": (_NUMBER, kinds.NUMBER), "int": (_NUMBER, kinds.NUMBER), "abs": (_NUMBER, kinds.NUMBER),
    "clock": (frozenset({kinds.TIME}), kinds.TEXT), "weekday": (frozenset({kinds.TIME}), kinds.TEXT),
    "default": (_ANY, None),
    "lower": (_TEXT, kinds.TEXT), "upper": (_TEXT, kinds.TEXT), "title": (_TEXT, kinds.TEXT),
    "capitalize": (_TEXT, kinds.TEXT), "replace": (_TEXT, kinds.TEXT), "trim": (_TEXT, kinds.TEXT),
    "join": (_LIST, kinds.TEXT), "length": (_LIST | _TEXT | {kinds.RECORDS}, kinds.NUMBER),
    "first": (_LIST, None), "last": (_LIST, None), "min": (_LIST, None), "max": (_LIST, None),
    "sum": (frozenset({kinds.NUMBERS}), kinds.NUMBER),
}  # fmt: skip
"""Each filter with the kinds that it is for, and the kind that it gives (None: that of what it is given)."""
ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "round": (kinds.NUMBER, kinds.TEXT), "join": (kinds.TEXT,), "replace": (kinds.TEXT, kinds.TEXT),
}  # fmt: skip
"""The kinds of what may stand in a filter's brackets; others take nothing, and `default` one value of its own kind."""
ROUNDINGS: Final[Mapping[str, Callable[[float], float]]] = {
    "common": round,
    "floor": math.floor,
    "ceil": math.ceil,
}
"""What `| round(1, "floor")` may name."""
TESTS: Final = ("defined", "undefined", "divisibleby", "even", "odd")


class Rounded(float):
    """A number that says with how many decimals it is written: `| round(1)` gives 2.0, `| round` gives 2."""

    decimals: int

    def __new__(cls, number: float, decimals: int) -> Self:
        """Round the number as Jinja does."""
        made = super().__new__(cls, round(number, decimals) + 0.0)
        made.decimals = min(max(0, decimals), _MOST_DECIMALS)
        return made


class View:
    """A record as a template sees it: `{{ lift.start }}`."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: Mapping[str, object]) -> None:
        self.name = name
        self.fields = fields


class Absent(jinja2.StrictUndefined):
    """What a template reads that is not there."""

    @property
    def _undefined_message(self) -> str:
        return f"{self._undefined_name} is absent"

    def _fail(self, *_: object, **__: object) -> NoReturn:
        self._fail_with_undefined_error()

    __format__ = _fail


class Environment(ImmutableSandboxedEnvironment):
    """No globals, few filters, `*` and `%` for numbers only: no template makes a text of a billion characters."""

    intercepted_binops = frozenset({"*", "%", "**"})

    def call_binop(
        self, context: jinja2.runtime.Context, operator: str, left: object, right: object
    ) -> object:
        """Reckon with numbers; refuse anything else."""
        if operator == "**" or not isinstance(left, int | float) or not isinstance(right, int | float):
            raise jinja2.exceptions.SecurityError(f"{operator} is not for {left!r:.40} and {right!r:.40}")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - Jinja's signature
        """Return a record's field, or what says that it is absent."""
        return self._field(obj, attribute) if isinstance(obj, View) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 - Jinja's signature
        """Return the same for `record["field"]`."""
        return self._field(obj, argument) if isinstance(obj, View) else super().getitem(obj, argument)

    def _field(self, view: View, name: str) -> object:
        if name in view.fields:
            return view.fields[name]
        return self.undefined(name=f"{view.name}.{name}")


def context_of(names: Mapping[str, Bound], used: frozenset[str], local: Local) -> dict[str, object]:
    """Return the used names as a template sees them, times in the athlete's zone, and the functions."""

    def per(seconds: float) -> Callable[[Any], float]:
        return lambda duration: float(duration.total_seconds() / seconds)

    def local_hour(instant: datetime) -> float:
        return float(instant.hour + instant.minute / 60 + instant.second / 3600)

    return {
        **{name: _shown(name, names[name], local) for name in used if name in names},
        "hours": per(3600), "minutes": per(60), "days": per(86_400), "local_hour": local_hour,
    }  # fmt: skip


def _shown(name: str, value: Bound, local: Local) -> object:
    if isinstance(value, Record):
        fields = value.fields
        return View(name, {each: _shown(f"{name}.{each}", fields[each], local) for each in fields})
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shown(f"{name}[{index}]", each, local) for index, each in enumerate(value)]
    return value


def _written(value: object) -> object:
    """Write numbers and lists as people do; let nothing infinite out."""
    if isinstance(value, list):
        return ", ".join(str(_written(each)) for each in value)
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise jinja2.TemplateRuntimeError("a number is not finite")
    if isinstance(value, Rounded):
        return f"{value:.{value.decimals}f}"
    return f"{round(value, 2) + 0.0:g}" if abs(value) < 10_000 else f"{value:.0f}"  # noqa: PLR2004 - where %g gives up


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M}"


def _weekday(instant: datetime) -> str:
    return calendar.day_name[instant.weekday()]


def _round(number: float, decimals: int = 0, method: str = "common") -> Rounded:
    # Six decimals first: 2.3 * 10 may be a hair below 23, and that is no reason to write 2.2 for it.
    if not math.isfinite(number):
        return Rounded(number, decimals)  # which the message then refuses, in words
    scale = 10 ** min(max(0, decimals), _MOST_DECIMALS)
    return Rounded(ROUNDINGS[method](round(number * scale, 6)) / scale, decimals)


def _guarded(filter_: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter, failing as any use of what is absent fails, and refusing to make a text that is too long."""

    def guarded(value: Any, *more: Any) -> Any:  # noqa: ANN401 - whatever the filter takes
        for each in (value, *more):
            if isinstance(each, jinja2.Undefined):
                str(each)
        result = filter_(value, *more)
        if isinstance(result, str) and len(result) > MOST_CHARACTERS:
            raise jinja2.exceptions.SecurityError(f"a text has more than {MOST_CHARACTERS:,} characters")
        return result

    return guarded


def _join(values: Sequence[object], separator: str = "") -> str:
    return separator.join(str(_written(value)) for value in values)


def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new)


def _made() -> Environment:
    environment = Environment(undefined=Absent, autoescape=False, finalize=_written)
    environment.globals.clear()
    own: Mapping[str, Callable[..., Any]] = {
        "clock": _clock, "weekday": _weekday, "round": _round, "join": _join, "replace": _replace,
        "int": int, "abs": abs, "first": lambda values: values[0], "last": lambda values: values[-1],
        "min": min, "max": max, "sum": sum,
        "length": len, "lower": str.lower, "upper": str.upper, "trim": str.strip, "capitalize": str.capitalize,
    }  # fmt: skip
    environment.filters = {name: _guarded(own[name]) for name in FILTERS if name in own}
    environment.filters |= {"default": filters.do_default, "title": filters.do_title}
    environment.tests = {name: tests.TESTS[name] for name in TESTS}
    return environment


ENVIRONMENT: Final = _made()
