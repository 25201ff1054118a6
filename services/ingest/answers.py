"""How an answer leaves: in one piece, because iterating over it in the server costs as much as making it here."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_ENCODER = json.JSONEncoder(separators=(",", ":"))


class Answer(Response):
    """A response as the front door makes it, and as it makes whatever its views return."""

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the body as a list: granian takes one whole, and asks any other iterable for each piece."""
        if not isinstance(self.response, list) or environ["REQUEST_METHOD"] == "HEAD":
            return super().get_app_iter(environ)
        return list(self.iter_encoded())


def json_answer(content: Any, status: int) -> Answer:  # noqa: ANN401 - whatever JSON can hold
    """Return `content` as compact JSON on a line of its own, as Flask's `jsonify` does."""
    return Answer(_ENCODER.encode(content) + "\n", status, content_type="application/json")
