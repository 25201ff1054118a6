"""How a request's body is read: never more than the limit of it, and as the strictest reading of JSON."""

import json
from typing import Any, NoReturn

from flask import Request

from services.ingest.problems import ProblemError
from shared.contracts.faults import printable

MAX_BODY = 1024 * 1024
_CHUNK = 64 * 1024


def read_body(request: Request) -> bytes:
    """Return the body. Raise 413 before reading one that says it is too long, or as soon as it turns out to be."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise ProblemError(
            415,
            f"the body's Content-Encoding is {printable(encoding)}; send it uncompressed",
            headers={"Accept-Encoding": "identity"},
        )
    if request.content_length is not None:
        if request.content_length > MAX_BODY:
            raise _too_large()
        return request.get_data(cache=False)
    if not request.environ.get("wsgi.input_terminated"):
        return b""
    # A chunked body: its end is known only when it is reached. werkzeug would cut it at the limit without a word.
    read = bytearray()
    while chunk := request.environ["wsgi.input"].read(_CHUNK):
        read += chunk
        if len(read) > MAX_BODY:
            raise _too_large()
    return bytes(read)


def read_json(request: Request) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Return what a JSON request holds. Raise 415 for another type, 413, or 400 saying where the text is at fault."""
    require_json_type(request)
    return parse_json(read_body(request))


def require_json_type(request: Request) -> None:
    """Raise 415 unless the body is said to be JSON in UTF-8."""
    if request.mimetype != "application/json" and not (
        request.mimetype.startswith("application/") and request.mimetype.endswith("+json")
    ):
        found = f"is {printable(request.mimetype)}" if request.mimetype else "is missing"
        raise ProblemError(
            415,
            f"the Content-Type {found}; send application/json",
            headers={"Accept": "application/json"},
        )
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.strip().lower() not in {"utf-8", "utf8"}:
        raise ProblemError(415, f"the body's charset is {printable(charset)}; JSON is sent as UTF-8")


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON may hold anything
    """Return what `body` holds, refusing what JSON readers do not agree on: NaN, Infinity and a name given twice."""
    if not body:
        raise ProblemError(400, "the body is empty; send JSON")
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_constant=_not_a_number, object_pairs_hook=_without_repeats
        )
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


def _too_large() -> ProblemError:
    return ProblemError(413, f"the body is larger than {MAX_BODY} bytes; send fewer events at a time")
