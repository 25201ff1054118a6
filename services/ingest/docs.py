"""`/openapi.json`, and `/docs`: the same document to read and try out, served whole from here (no CDN)."""

from importlib import resources

from flask import Blueprint, Flask, Response
from werkzeug.exceptions import NotFound

from services.ingest.event_document import document_events
from services.ingest.events import post_events
from services.ingest.operations import SECURITY, Documented, Resource

blueprint = Blueprint("docs", __name__)

_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null})\n'
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tandem: HTTP API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# Swagger UI sets styles on elements, and nothing else beyond its own files.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=300",
}


def document(app: Flask, documented: tuple[Resource, ...]) -> None:
    """Register the resources on `app` and serve the document that their operations make."""
    app.config["OPENAPI_URL_PREFIX"] = "/"
    api = Documented(  # type: ignore[no-untyped-call]  # flask-smorest has no types
        app,
        spec_kwargs={
            "title": "Tandem",
            "version": "1",
            "openapi_version": "3.1.0",
            "servers": [{"url": "/"}],  # where the document is: the page may call nothing else
            "info": {
                "description": (
                    "Post what athletes do; get advice that arrives while it still helps."
                    " Every error is `application/problem+json` (RFC 9457) and names the field at fault."
                )
            },
        },
    )
    api.spec.components.security_scheme(
        SECURITY, {"type": "http", "scheme": "bearer", "description": "An API key, `tnd_...`."}
    )
    api.spec.tag({"name": "events", "description": "What athletes did, ate and felt"})
    document_events(api.spec, next(app.url_map.iter_rules(post_events.__name__)))
    for resource in documented:
        api.register_blueprint(resource)  # type: ignore[no-untyped-call]  # the same
    app.register_blueprint(blueprint)


@blueprint.get("/docs")
def docs() -> Response:
    """Return the page."""
    return Response(_PAGE, mimetype="text/html", headers=_SAFE)


@blueprint.get("/docs/start.js")
def start() -> Response:
    """Return the script that starts the page; it stands apart so that no inline script need be allowed."""
    return Response(_START, mimetype="text/javascript", headers=_SAFE)


@blueprint.get("/docs/<asset>")
def asset(asset: str) -> Response:
    """Return one of Swagger UI's files."""
    if asset not in _ASSETS:
        raise NotFound
    content = resources.files("flask_swagger_ui").joinpath("dist", asset).read_bytes()
    return Response(content, mimetype=_ASSETS[asset], headers=_SAFE)
