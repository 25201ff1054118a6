"""What a rule sees of an event."""

from collections.abc import Mapping
from datetime import date

from services.rules.language.model import Bound, Record
from shared.contracts.events import Event, Value


def event_record(event: Event, day: date) -> Record:
    """Return what a rule sees of an event: `found`, `start`, `end`, `id`, `source`, `date` (local) and its data.

    Numbers are doubles. A `day.closed` has a date of its own in its data, and keeps that.
    """
    fields: dict[str, Bound] = {"date": day.isoformat()}
    for name, value in event.data.items():
        if isinstance(value, (str, float)):  # as most are
            fields[name] = value
        elif value is not None:
            fields[name] = _bound(value)
    fields["found"] = True
    fields["start"], fields["end"] = event.start, event.end
    fields["id"], fields["source"] = event.id, event.source
    return Record(event.type, fields)


def _bound(value: Value) -> Bound:
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (float, int)):
        return float(value)
    if isinstance(value, Mapping):
        return Record("set", {name: _bound(each) for name, each in value.items() if each is not None})
    return [_bound(each) for each in value]
