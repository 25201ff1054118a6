"""How a request's body is read: never more than the limit of it, and as the strictest reading of JSON."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from flask import Request
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length

from services.ingest.problems import ProblemError
from shared.contracts.faults import printable

MAX_BODY = 1024 * 1024
_CHUNK = 64 * 1024
_UNENCODED = frozenset({"", "identity"})
_BOM = b"\xef\xbb\xbf"


def read_body(request: Request) -> bytes:
    """Return the body. Raise 413 before reading one that says it is too long, or as soon as it turns out to be."""
    environ = request.environ
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in _UNENCODED:
        raise ProblemError(
            415,
            f"the body's Content-Encoding is {printable(encoding)}; send it uncompressed",
            headers={"Accept-Encoding": "identity"},
        )
    length = get_content_length(environ)
    if length is not None and length > MAX_BODY:
        raise _too_large()
    if not environ.get("wsgi.input_terminated"):
        return b"" if length is None else request.get_data(cache=False)
    if length is not None:
        body: bytes = environ["wsgi.input"].read()  # the server ends it there
        return body
    # A chunked body: its end is known only when it is reached. werkzeug would cut it at the limit without a word.
    read = bytearray()
    while chunk := environ["wsgi.input"].read(_CHUNK):
        read += chunk
        if len(read) > MAX_BODY:
            raise _too_large()
    return bytes(read)


@lru_cache(16)  # all but a few senders name the same
def _parsed(content_type: str) -> tuple[str, Mapping[str, str]]:
    kind, parameters = parse_options_header(content_type)
    return kind.lower(), parameters


def mime_type(request: Request) -> str:
    """Return what the body is said to be, without parameters and in small letters; empty when nothing is said."""
    return _parsed(request.environ.get("CONTENT_TYPE", ""))[0]


def read_json(request: Request) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Return what a JSON request holds. Raise 415 for another type, 413, or 400 saying where the text is at fault."""
    require_json_type(request)
    return parse_json(read_body(request))


def require_json_type(request: Request) -> None:
    """Raise 415 unless the body is said to be JSON in UTF-8."""
    kind, parameters = _parsed(request.environ.get("CONTENT_TYPE", ""))
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        found = f"is {printable(kind)}" if kind else "is missing"
        raise ProblemError(
            415,
            f"the Content-Type {found}; send application/json",
            headers={"Accept": "application/json"},
        )
    charset = parameters.get("charset", "utf-8")
    if charset.strip().lower() not in {"utf-8", "utf8"}:
        raise ProblemError(415, f"the body's charset is {printable(charset)}; JSON is sent as UTF-8")


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Return what `body` holds, refusing what JSON readers do not agree on: NaN, Infinity and a name given twice."""
    if not body:
        raise ProblemError(400, "the body is empty; send JSON")
    try:
        return _STRICT.decode(body.removeprefix(_BOM).decode())
    except UnicodeDecodeError as error:
        raise ProblemError(400, f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ProblemError(400, f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise ProblemError(400, "the body is nested too deeply") from None
    except ValueError:  # Python reads no whole number of more than some thousands of digits
        raise ProblemError(400, "the body holds a number of too many digits to be read") from None


def _not_a_number(constant: str) -> NoReturn:
    raise ProblemError(
        400, f"the body holds {constant}, which JSON does not have; leave the field out instead"
    )


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ProblemError(400, f"the body gives {printable(twice)} twice in one object; which one is meant?")
    return found


_STRICT = json.JSONDecoder(parse_constant=_not_a_number, object_pairs_hook=_without_repeats)


def _too_large() -> ProblemError:
    return ProblemError(413, f"the body is larger than {MAX_BODY} bytes; send fewer events at a time")
