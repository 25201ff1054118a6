"""How marshmallow's nested messages become a flat list of faults, each with its place and what was found there."""

from collections.abc import Iterator, Mapping

from marshmallow.exceptions import SCHEMA, ValidationError

from shared.contracts.faults import Fault, preview, printable


def faults_of(error: ValidationError, raw: object) -> tuple[Fault, ...]:
    """Return one fault a message about `raw`. What concerns the whole of it has the field `body`."""
    return tuple(_flatten(error.messages, raw, ""))


def _flatten(messages: object, raw: object, path: str) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            if key == SCHEMA:
                yield from _flatten(below, raw, path)
            else:
                yield from _flatten(below, _at(raw, key), _join(path, key))
    elif isinstance(messages, (list, tuple)):
        for message in messages:
            yield from _flatten(message, raw, path)
    else:
        yield Fault(path or "body", str(messages), preview(raw))


def _at(raw: object, key: object) -> object:
    if isinstance(raw, Mapping):
        return raw.get(key)
    if isinstance(raw, (list, tuple)) and isinstance(key, int) and key < len(raw):
        return raw[key]
    return None


def _join(path: str, key: object) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    name = printable(str(key))
    return f"{path}.{name}" if path else name
