"""The wire forms of events: plain JSON, and CloudEvents 1.0 in structured, batch and binary mode.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Request

from services.ingest.bodies import mime_type, parse_json, read_body, read_json, require_json_type
from services.ingest.problems import ProblemError, invalid
from shared.contracts.event_schema import MAX_BATCH
from shared.contracts.faults import Fault, preview

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

ATTRIBUTES = (
    "id", "source", "type", "subject", "time", "revision", "specversion", "datacontenttype", "dataschema",
)  # fmt: skip
_KNOWN = frozenset({*ATTRIBUTES, "data"})
# Extensions are the sender's own business and are ignored. One that is all but named like an attribute is a typo,
# though, and ignoring it would lose what it was to say. Short names (`id`) resemble too much to be told apart so.
_MISTAKABLE = ("source", "subject", "revision", "specversion", "datacontenttype", "dataschema")
_SURELY_MEANT = 0.9
_HEADER = "ce-"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One event as the plain JSON form has it, and what was wrong with the way it came."""

    raw: object
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class WireEvents:
    """What one request holds: a `batch` is answered event by event."""

    events: tuple[WireEvent, ...]
    batch: bool


def read_events(request: Request) -> WireEvents:
    """Read the events of a request in whichever form they come. Raise `ProblemError`: 400, 413, 415 or 422."""
    kind = mime_type(request)
    if kind == STRUCTURED:
        found = read_json(request)
        if isinstance(found, list):
            raise invalid([Fault("body", f"must be one event; a list of them is {BATCH}", preview(found))])
        return WireEvents((_structured(found),), batch=False)
    if kind == BATCH:
        found = read_json(request)
        if not isinstance(found, list):
            raise invalid(
                [Fault("body", f"must be a list of events; one alone is {STRUCTURED}", preview(found))]
            )
        return WireEvents(tuple(_structured(event) for event in _bounded(found)), batch=True)
    if kind.startswith("application/cloudevents"):
        raise ProblemError(415, f"of the CloudEvents formats, {STRUCTURED} and {BATCH} are taken")
    if "HTTP_CE_SPECVERSION" in request.environ or "HTTP_CE_ID" in request.environ:
        return WireEvents((_binary(request),), batch=False)
    found = read_json(request)
    if isinstance(found, list):
        return WireEvents(tuple(_plain(event) for event in _bounded(found)), batch=True)
    return WireEvents((_plain(found),), batch=False)


def _bounded(found: list[Any]) -> list[Any]:
    if len(found) > MAX_BATCH:
        raise invalid([Fault("body", f"must be a list of at most {MAX_BATCH} events", preview(found))])
    return found


def _plain(found: object) -> WireEvent:
    """Plain JSON is strict about names; with a `specversion` it is a CloudEvent, and those may have extensions."""
    if isinstance(found, Mapping) and "specversion" in found:
        return _structured(found)
    return WireEvent(found)


def _structured(found: object) -> WireEvent:
    if not isinstance(found, Mapping):
        return WireEvent(found)
    raw = {name: value for name, value in found.items() if name in _KNOWN}
    faults = _mistaken(name for name in found if name not in _KNOWN and name != "data_base64")
    if "specversion" not in found:
        faults.append(Fault("specversion", 'is required of a CloudEvent, and must be "1.0"'))
    if "data_base64" in found:
        if "data" in found:
            faults.append(Fault("data_base64", "must not be given beside data"))
        else:
            raw["data"] = _decoded(found["data_base64"], faults)  # in a batch, one event's fault is its own
    return WireEvent(raw, tuple(faults))


def _binary(request: Request) -> WireEvent:
    if mime_type(request):
        require_json_type(request)
    raw: dict[str, object] = {}
    faults: list[Fault] = []
    others = []
    for header, value in request.headers:
        name = header.lower()
        if not name.startswith(_HEADER):
            continue
        name = name.removeprefix(_HEADER)
        if name not in ATTRIBUTES:
            others.append(name)
            continue
        try:
            raw[name] = _header_text(value)
        except UnicodeDecodeError:
            faults.append(Fault(name, "must be percent-encoded UTF-8", preview(value)))
    faults += _mistaken(others)
    revision = raw.get("revision")
    if isinstance(revision, str) and revision.isascii() and revision.isdigit():
        raw["revision"] = int(revision[:20])
    if "specversion" not in raw:
        faults.append(
            Fault("specversion", "is required of a CloudEvent: send the header ce-specversion: 1.0")
        )
    body = read_body(request)
    if body:
        raw["data"] = parse_json(body)
    return WireEvent(raw, tuple(faults))


def _mistaken(names: Any) -> list[Fault]:  # noqa: ANN401 - any iterable of names
    faults = []
    for name in names:
        close = get_close_matches(str(name).lower()[:40], _MISTAKABLE, n=1, cutoff=_SURELY_MEANT)
        if close:
            faults.append(Fault(str(preview(name)), f"is not a known attribute: did you mean {close[0]}?"))
    return faults


def _decoded(text: object, faults: list[Fault]) -> object:
    try:
        return parse_json(base64.b64decode(text if isinstance(text, str) else "!", validate=True))
    except ValueError:
        faults.append(Fault("data_base64", "must be text in base64", preview(text)))
    except ProblemError as error:
        faults.append(Fault("data_base64", f"must hold JSON: {error.detail}", preview(text)))
    return {}


def _header_text(value: str) -> str:
    """Undo the encoding of a header: quotes first, then percent signs (section 3.1.3.2)."""
    quoted = _QUOTED.fullmatch(value)
    plain = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    return unquote_to_bytes(plain.encode("latin-1", "replace")).decode("utf-8")
