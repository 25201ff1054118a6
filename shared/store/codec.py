"""How records become bytes in the store and back: JSON, from the contracts' own annotations.

What is read back was checked at the edge before it was written, so decoding is strict about types and silent
about nothing: a record that does not fit its dataclass raises `CorruptRecordError` with the key's contents.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")


class CorruptRecordError(Exception):
    """A stored record does not fit its contract: another version of Tandem wrote it, or someone edited it by hand."""


def encode(record: object) -> str:
    """Return the record as JSON with sorted keys: equal records give equal text."""
    return _encoder.encode(record).decode()


def decode_many(text: str, kind: type[T]) -> tuple[T, ...]:
    """Return the records in a JSON list of what `encode` made of each: quicker than one by one."""
    try:
        found: tuple[T, ...] = _decoder(tuple[kind, ...]).decode(text)  # type: ignore[valid-type]
    except msgspec.ValidationError:
        parts = msgspec.json.decode(text, type=list[msgspec.Raw])
        return tuple(
            decode(bytes(part).decode(), kind) for part in parts
        )  # which tells the one that is wrong
    except msgspec.DecodeError as error:
        raise CorruptRecordError(f"not all JSON: {error}; found {text[:200]!r}") from error
    return found


def decode(text: str, kind: type[T]) -> T:
    """Return the record that `encode` made of a `kind`."""
    try:
        record: T = _decoder(kind).decode(text)
    except msgspec.MsgspecError as error:
        raise CorruptRecordError(f"not a {kind.__name__}: {error}; found {text[:200]!r}") from error
    return record


_decoders: dict[object, msgspec.json.Decoder[Any]] = {}
_making = threading.Lock()


def _decoder(kind: object) -> msgspec.json.Decoder[Any]:
    found = _decoders.get(kind)
    if found is None:
        # One at a time: msgspec (0.22) notes what it knows of a dataclass on the class before it knows it all, and a
        # thread that meets such a note reads from nowhere.
        with _making:
            found = _decoders.get(kind) or msgspec.json.Decoder(kind)
            _decoders[kind] = found
    return found
