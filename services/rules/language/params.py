"""The numbers that a rule leaves to the club: `params`, their kinds, and what a club lays over them."""

import math
from collections.abc import Mapping

from services.rules.language import kinds
from services.rules.language.documents import Place, Plain
from services.rules.language.faults import Fault
from services.rules.language.names import NAME, NAME_ALLOWED
from services.rules.language.schema import did_you_mean, shown
from shared.contracts.athletes import Param

MAX_LISTED = 100
_A_PARAM = "a number, a text, true or false, a list of numbers, or a list of texts"


def parse_params(place: Place, faults: list[Fault]) -> dict[str, Param]:
    """Return the params at `place`, numbers as floats, adding what is wrong to `faults`."""
    value = place.value
    if not isinstance(value, Mapping):
        faults.append(
            place.fault(f"params must map names to values; found {shown(value)}", "write {name: value}")
        )
        return {}
    found: dict[str, Param] = {}
    for name in value:
        if not NAME.fullmatch(name):
            faults.append(
                (place / name).fault(f"{shown(name)} is no name for a param", NAME_ALLOWED, key=True)
            )
        param = _param(value[name])
        if param is None:
            faults.append(
                (place / name).fault(
                    f"{name} must be {_A_PARAM}; found {shown(value[name])}",
                    "put text in quotes, and numbers or texts of a list in [ ]",
                )
            )
        else:
            found[name] = param
    return found


def overlaid(params: Mapping[str, Param], place: Place, rule: str, faults: list[Fault]) -> dict[str, Param]:
    """Return the rule's params with those at `place` laid over them; name and kind must be the rule's."""
    result = dict(params)
    below: list[Fault] = []
    for name, value in parse_params(place, below).items():
        if name not in params:
            hint = did_you_mean(name, tuple(params), what="its params") if params else "it has none"
            below.append((place / name).fault(f"{rule} has no param {shown(name)}", hint, key=True))
        elif param_kind(value) != param_kind(params[name]):
            message = (
                f"{name} of {rule} is of kind {param_kind(params[name])}; found {shown(place.value[name])}"
            )
            below.append((place / name).fault(message, f"the rule itself has {shown(_plain(params[name]))}"))
        else:
            result[name] = value
    faults.extend(below)
    return result


def param_kind(value: Param) -> str:
    """Return the kind (of `kinds`) of a param's value."""
    if isinstance(value, bool):
        return kinds.FLAG
    if isinstance(value, str):
        return kinds.TEXT
    if isinstance(value, tuple):
        return kinds.TEXTS if isinstance(value[0], str) else kinds.NUMBERS
    return kinds.NUMBER


def _param(value: Plain) -> Param | None:
    if isinstance(value, list):
        found = [_param(each) for each in value]
        if not 1 <= len(found) <= MAX_LISTED:
            return None
        if all(isinstance(each, str) for each in found) or all(isinstance(each, float) for each in found):
            return tuple(each for each in found if isinstance(each, str | float))
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, bool | str) else None


def _plain(value: Param) -> Plain:
    return list(value) if isinstance(value, tuple) else value
