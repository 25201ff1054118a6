"""What every team chat says of advice, before each product's own markup: the lines, and the one way to post them."""

import json
import re
from dataclasses import dataclass

from services.notify.channels.http import Poster
from services.notify.channels.message import Message, Said, Sent, TransportError, visible

MARKS = {"info": "🟢", "suggestion": "🔵", "warning": "🟠"}
COLOURS = {"info": "#2e7d32", "suggestion": "#1565c0", "warning": "#ef6c00"}
WITHDRAWN_MARK, WITHDRAWN_COLOUR = "⚪", "#757575"
_TEST = ("Tandem can post here", "This is a test. Advice for your athletes will arrive in this channel.")
_MOST_FACTS = 4
_UNITS = {unit: unit for unit in ("kcal", "h", "min", "g", "kg", "ml", "m", "km", "bpm")} | {
    "minutes": "min",
    "hours": "h",
    "c": "°C",
}
_WORDS = re.compile(r"[a-z][a-z_.]+[a-z]")


@dataclass(frozen=True, slots=True)
class Lines:
    """One advice event in plain text; each product escapes these for itself."""

    heading: str
    text: str
    why: str
    footer: str
    mark: str
    colour: str
    link: str


def lines(said: Said, public_url: str) -> Lines:
    """Return what is said of one advice event."""
    advice = said.record.advice
    link = f"{public_url}/v1/advice/{advice.id}"
    if said.type == "advice.withdrawn":
        text = "This no longer holds: what has been logged since changes the picture. Please disregard it."
        heading = f"{said.name}: withdrawn: {said.title}"
        return Lines(heading, text, "", advice.rule, WITHDRAWN_MARK, WITHDRAWN_COLOUR, link)
    heading = f"{said.name}: {said.title}{' (updated)' if said.type == 'advice.updated' else ''}"
    footer = visible(f"{advice.rule} · evidence: {advice.evidence} · {'; '.join(advice.sources)}")
    mark, colour = MARKS[advice.severity], COLOURS[advice.severity]
    return Lines(heading, said.text, why(said), footer, mark, colour, link)


def plain(message: Message) -> tuple[str, str]:
    """Return title and text of a message that is about no advice: a test or a notice."""
    return _TEST if message.kind == "test" else ("A notice from Tandem", message.notice)


def why(said: Said) -> str:
    """Return the plain facts that the advice rests on, in a line: `missing 300 kcal, run 34 min`.

    What the profile says (body mass, age) is nobody's business in a chat, and a rule's own params are no facts.
    """
    shown = [
        _fact(name, float(value))
        for name, value in said.record.advice.because.facts.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and not name.startswith(("params.", "athlete."))
    ]
    return ", ".join(shown[:_MOST_FACTS])


def clipped(text: str, most: int) -> str:
    """Return `text`, cut to `most` characters with an ellipsis where it is longer."""
    return text if len(text) <= most else text[: most - 1] + "…"


def post(poster: Poster, message: Message, body: dict[str, object], gone: frozenset[str]) -> Sent:
    """Post a chat message. An answer that holds one of the words `gone` means that the hook will never work again."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    try:
        return poster.post(message.to, raw, {"Content-Type": "application/json"}, message.at)
    except TransportError as error:
        word = next((word for word in _WORDS.findall(error.detail) if word in gone), None)
        if word is None:
            raise
        raise TransportError(
            word, permanent=True, gone=True, status=error.status, detail=error.detail
        ) from None


def _fact(name: str, value: float) -> str:
    """Return `missing 300 kcal` for `missing_kcal` 300.0: names carry their unit at the end."""
    root, _, field = name.rpartition(".")
    words = field.split("_")
    unit = _UNITS.get(words[-1]) if len(words) > 1 else None
    if unit is not None:
        words.pop()
    if words[-1:] == ["s"] and unit is None and len(words) > 1:
        words.pop()
        value, unit = value / 60, "min"
    if root in {"day", "week"}:
        words.insert(0, root)
    return " ".join([*words, _number(value), *([unit] if unit else [])])


def _number(value: float) -> str:
    # Three digits are as much as an estimate holds.
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}".removesuffix(".0")  # noqa: PLR2004
