"""How an event reads on the wire, made from `EVENT_TYPES`, and how it becomes an `Event`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields

from shared.contracts import wire_fields as wire
from shared.contracts import wire_times as times
from shared.contracts.events import EVENT_TYPES, Event, EventType, Field, Value
from shared.contracts.faults import Fault, InvalidError, preview
from shared.contracts.wire_faults import faults_of
from shared.contracts.wire_straight import straight

MAX_BATCH = 500
MAX_ID_LENGTH = 256
MAX_REVISION = 2**31 - 1
MAX_RECORDS = 500
"""The most sets of one workout."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
ATHLETE_ID = r"[A-Za-z0-9._-]{1,128}"
ATHLETE_ID_ALLOWED = "must be an athlete's id: 1 to 128 of A-Z a-z 0-9 . _ -"
# A day starts 14 h earlier in Kiribati than in UTC: no calendar is further ahead.
_FURTHEST_ZONE = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class PostedEvent:
    """A checked event and the athlete on whose timeline it belongs."""

    athlete: str
    event: Event


def read_event(raw: object, *, default_source: str, now: datetime) -> PostedEvent:
    """Check one event as JSON gave it. Raise `InvalidError` with every fault of it."""
    kind = raw.get("type") if isinstance(raw, Mapping) else None
    schema = _SCHEMAS.get(kind) if isinstance(kind, str) else None
    found = _STRAIGHT[str(kind)](raw) if schema else None
    if found is None:
        try:
            found = (schema or _UNTYPED).load(raw)  # type: ignore[arg-type] # a raw of another kind is refused by load
        except ValidationError as error:
            raise InvalidError(_with_places(faults_of(error, raw), raw, schema)) from None
    posted = _posted(found, default_source)
    faults = _faults_beyond_fields(
        EVENT_TYPES[posted.event.type], posted.event, cast("Mapping[str, Any]", raw), now
    )
    if faults:
        raise InvalidError(faults)
    return posted


def event_schemas() -> Mapping[str, Schema]:
    """Return the wire schema of each event type, by name."""
    return _SCHEMAS


def _posted(found: Mapping[str, Any], default_source: str) -> PostedEvent:
    data: dict[str, Value] = found["data"]
    start: datetime = found["time"]
    duration = data.get("duration_s")
    end = start + timedelta(milliseconds=round(duration * 1000)) if isinstance(duration, float) else start
    event = Event(
        source=found.get("source", default_source),
        id=found["id"],
        type=found["type"],
        start=start,
        end=end,
        data=data,
        revision=found["revision"],
    )
    return PostedEvent(found["subject"], event)


def _faults_beyond_fields(
    kind: EventType, event: Event, raw: Mapping[str, Any], now: datetime
) -> list[Fault]:
    faults = []
    if event.start < EARLIEST:
        faults.append(Fault("time", "must not be before 2000-01-01T00:00:00Z", preview(raw["time"])))
    elif event.start > now + kind.may_be_ahead:
        ahead = _span(kind.may_be_ahead)
        faults.append(
            Fault(
                "time",
                f"must not be more than {ahead} ahead; the time here is {times.instant_text(now)}",
                preview(raw["time"]),
            )
        )
    if kind.at_least_one and not event.data:
        faults.append(Fault("data", f"must hold at least one of {', '.join(kind.fields)}"))
    latest = (now + _FURTHEST_ZONE).date()
    for name, spec in kind.fields.items():
        if spec.kind != "date" or name not in event.data:
            continue
        day = date.fromisoformat(str(event.data[name]))
        if not EARLIEST.date() <= day <= latest:
            message = f"must be a day from {EARLIEST.date()} to today, which is {latest} at the latest"
            faults.append(Fault(f"data.{name}", message, preview(str(day))))
    return faults


def _with_places(faults: tuple[Fault, ...], raw: object, schema: Schema | None) -> tuple[Fault, ...]:
    """Say of each unknown top-level name that is known inside `data` that it belongs there."""
    if schema is None or not isinstance(raw, Mapping):
        return faults
    inside = EVENT_TYPES[str(raw["type"])].fields
    return tuple(
        Fault(fault.field, "is not known here: it belongs inside data", fault.found)
        if fault.field in inside and fault.field not in schema.fields
        else fault
        for fault in faults
    )


def _span(span: timedelta) -> str:
    return f"{span.days} days" if span.days else f"{span.seconds // 60} minutes"


def _wire_field(name: str, spec: Field) -> fields.Field[Any]:  # noqa: PLR0911 - one a kind
    options: dict[str, Any] = {"required": spec.required}
    if spec.default is not None:
        options["load_default"] = spec.default
    match spec.kind:
        case "number":
            return wire.Number(minimum=_bound(spec.minimum), maximum=_bound(spec.maximum), **options)
        case "integer":
            return wire.Whole(minimum=int(_bound(spec.minimum)), maximum=int(_bound(spec.maximum)), **options)
        case "text":
            return wire.Text(choices=spec.choices, max_length=spec.max_length, lines=True, **options)
        case "flag":
            return wire.Flag(**options)
        case "date":
            return times.LocalDate(**options)
        case "texts":
            most = len(spec.choices) or MAX_RECORDS
            return wire.Texts(
                wire.Text(choices=spec.choices, max_length=spec.max_length), most=most, **options
            )
        case "records":
            return wire.Records(_record_schema(name, spec.records), most=MAX_RECORDS, **options)


def _bound(bound: float | None) -> float:
    if bound is None:
        raise ValueError("a number on the wire needs both bounds: an unbounded one overflows somewhere below")
    return bound


def _data_schema(name: str, specs: Mapping[str, Field]) -> type[Schema]:
    return wire.StrictSchema.from_dict(
        {field: _wire_field(field, spec) for field, spec in specs.items()}, name=name
    )


def _record_schema(name: str, specs: Mapping[str, Field]) -> type[Schema]:
    """Return one class for one definition, however many event types share it: the document names it once."""
    for known, made in _RECORDS:
        if known is specs:
            return made
    made = _data_schema(name.capitalize(), specs)
    _RECORDS.append((specs, made))
    return made


def _envelope(data: fields.Field[Any], types: tuple[str, ...]) -> dict[str, fields.Field[Any]]:
    name_rule = f"must be text of 1 to {MAX_ID_LENGTH} characters"
    return {
        "id": wire.Text(required=True, max_length=MAX_ID_LENGTH, allowed=name_rule),
        "source": wire.Text(
            max_length=MAX_ID_LENGTH,
            allowed=name_rule,
            metadata={"description": "Unique together with id; the API key's name unless given."},
        ),
        "type": wire.Text(required=True, choices=types),
        "subject": wire.Text(
            required=True, max_length=128, pattern=ATHLETE_ID, allowed=ATHLETE_ID_ALLOWED,
            metadata={"description": "The athlete's id."},
        ),
        "time": times.Instant(
            required=True, metadata={"description": "When it started or happened, with an offset."}
        ),
        "revision": wire.Whole(
            minimum=0, maximum=MAX_REVISION, load_default=0,
            metadata={"description": "The highest revision of an event wins, whatever order they arrive in."},
        ),
        "data": data,
        "specversion": wire.Text(choices=("1.0",)),
        "datacontenttype": wire.Text(
            pattern=r"application/([A-Za-z0-9.+-]+\+)?json *(; *charset=\"?[Uu][Tt][Ff]-8\"?)?",
            allowed="must be application/json",
        ),
        "dataschema": wire.Text(max_length=2048),
    }  # fmt: skip


def _event_schema(kind: EventType) -> Schema:
    name = "".join(part.capitalize() for part in kind.name.split("."))
    data = wire.Part(_data_schema(f"{name}Data", kind.fields), required=True)
    return wire.StrictSchema.from_dict(_envelope(data, (kind.name,)), name=name)()


_RECORDS: list[tuple[Mapping[str, Field], type[Schema]]] = []
_SCHEMAS: Mapping[str, Schema] = {name: _event_schema(kind) for name, kind in EVENT_TYPES.items()}
_STRAIGHT = {name: straight(schema) for name, schema in _SCHEMAS.items()}
# For an event whose type is missing or unknown: whatever can be said of the rest is said with it.
_UNTYPED: Schema = wire.StrictSchema.from_dict(_envelope(wire.JsonValue(required=True), tuple(EVENT_TYPES)))()
