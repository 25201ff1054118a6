"""The unsubscribe link of an e-mail: one POST ends all mail about an athlete (RFC 8058); a GET only asks."""

from dataclasses import replace

from flask import Blueprint, Response, request

from services.ingest.parts import parts
from services.ingest.problems import not_found
from shared.unsubscribe import read_token

blueprint = Blueprint("unsubscribe", __name__)

# Mail scanners follow links: only the button, or a mail program's own one-click POST, may change anything.
_ASK = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Unsubscribe</title>
<meta name="viewport" content="width=device-width"></head>
<body style="font-family:sans-serif;max-width:32em;margin:4em auto;padding:0 1em">
<h1>No more training advice by e-mail?</h1>
<form method="post"><button style="font-size:1em;padding:.5em 1em">Unsubscribe</button></form></body></html>"""
_DONE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Unsubscribed</title>
<meta name="viewport" content="width=device-width"></head>
<body style="font-family:sans-serif;max-width:32em;margin:4em auto;padding:0 1em">
<h1>Done</h1><p>There will be no more advice by e-mail. Your club can turn it on again when you ask for it.</p>
</body></html>"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@blueprint.route("/unsubscribe/<token>", methods=["GET", "POST"])
def unsubscribe(token: str) -> Response:
    """Take back the e-mail consent of the athlete whom the token names."""
    found = read_token(parts().store.signing_key(), token)
    if found is None:
        raise not_found("unsubscribe link", token[:20])
    page = _ASK
    if request.method == "POST":
        athlete = parts().store.athletes.get(*found)
        if athlete is not None and athlete.email_consent:
            parts().store.athletes.put(replace(athlete, email_consent=False), parts().clock.now())
        page = _DONE
    answer = Response(page, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
