"""What a YAML scalar means (YAML 1.2, core schema), and which character of the file each of its characters is."""

import re

Scalar = bool | float | int | str | None

_NULLS = {"", "~", "null", "Null", "NULL"}
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,15}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WHITE = " \t\n"
_PROPERTIES = re.compile(r"([&!]\S*[ \t\n]+)*")  # an anchor, a tag: YAML counts them to the scalar
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def meaning(text: str, *, plain: bool) -> Scalar:
    """Return the value of a scalar. Dates, clock times, `on`, `off`, `yes` and `no` stay text."""
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def index_in_file(raw: str, start: int, style: str | None, value: str, offset: int) -> int:
    """Return the index in the file's text `raw` of character `offset` of a scalar that begins at index `start`.

    Quotes, escapes, folded lines and indentation are in the file but not in the value, so both are walked together.
    Within runs of white space, which folding may shorten, the place is near rather than exact.
    """
    start = _properties_end(raw, start)
    at = start
    if style is None and not value:
        return start
    if style in {">", "|"}:
        at = raw.find("\n", start) + 1 or len(raw)
    elif style in {"'", '"'}:
        at = start + 1
    place = at
    for char in value[: offset + 1]:
        place, at = _step(raw, at, style, char)
    return min(place if offset < len(value) else at, len(raw))


def _properties_end(raw: str, start: int) -> int:
    found = _PROPERTIES.match(raw, start)
    return found.end() if found else start


def _step(raw: str, at: int, style: str | None, char: str) -> tuple[int, int]:
    """Return where `char` stands at or after `at`, and where the next one may."""
    if char in _WHITE and at < len(raw) and raw[at] in _WHITE:
        return at, at + 1
    while at < len(raw) and (raw[at] in _WHITE or (style == '"' and raw.startswith("\\\n", at))):
        at += 2 if raw[at] == "\\" else 1
    if style == '"' and (escape := _ESCAPE.match(raw, at)):
        return at, escape.end()
    return at, at + (2 if style == "'" and char == "'" else 1)
