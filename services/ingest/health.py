"""Whether this process lives, whether it can take events, and what there is to measure."""

from typing import Any

from flask import Blueprint, Response, jsonify

from services.ingest import metrics
from services.ingest.parts import parts
from shared.store.errors import StoreUnavailableError

blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def livez() -> Response:
    """This process answers."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether events can be taken.

    They can while the store answers. A broker that is away delays advice and loses nothing, so it degrades
    and does not fail.
    """
    found: dict[str, Any] = {"store": _store(), "broker": "ok" if parts().wake.reachable() else "unreachable"}
    if found["store"] != "ok":
        return jsonify(status="unavailable", parts=found), 503
    return jsonify(status="ready" if found["broker"] == "ok" else "degraded", parts=found), 200


@blueprint.get("/metrics")
def scrape() -> Response:
    """Return everything that is counted, for Prometheus."""
    return Response(metrics.exposition(parts().store, parts().clock), content_type=metrics.CONTENT_TYPE)


def _store() -> str:
    try:
        parts().store.ping()
    except StoreUnavailableError as error:
        return str(error)
    return "ok"
