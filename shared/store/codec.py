"""How records become bytes in the store and back: JSON, from the contracts' own annotations.

What is read back was checked at the edge before it was written, so decoding is strict about types and silent
about nothing: a record that does not fit its dataclass raises `CorruptRecordError` with the key's contents.
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")


class CorruptRecordError(Exception):
    """A stored record does not fit its contract: another version of Tandem wrote it, or someone edited it by hand."""


def encode(record: object) -> str:
    """Return the record as JSON with sorted keys: equal records give equal text."""
    return _encoder.encode(record).decode()


def decode(text: str, kind: type[T]) -> T:
    """Return the record that `encode` made of a `kind`."""
    try:
        record: T = _decoder(kind).decode(text)
    except msgspec.MsgspecError as error:
        raise CorruptRecordError(f"not a {kind.__name__}: {error}; found {text[:200]!r}") from error
    return record


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, exact: whole milliseconds are all that Tandem keeps."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def from_ms(milliseconds: float) -> datetime:
    """Undo `to_ms`."""
    return datetime.fromtimestamp(int(milliseconds) // 1000, UTC).replace(
        microsecond=int(milliseconds) % 1000 * 1000
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type) -> msgspec.json.Decoder[Any]:
    if kind not in _decoders:
        _decoders[kind] = msgspec.json.Decoder(kind)
    return _decoders[kind]
