"""How to receive advice by webhook: verify the signature, drop repeats, answer quickly.

    python docs/examples/receiver.py whsec_... [PORT]

Needs only `pip install standardwebhooks`. PORT defaults to 9000; 0 takes a free one.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

LARGEST = 1_048_576
"""Bytes. Advice is a few kilobytes."""


class Receiver(BaseHTTPRequestHandler):
    """Prints each advice event once."""

    webhook: Webhook
    seen: set[str] = set()  # yours outlives a restart: a table with a unique column

    def do_POST(self) -> None:
        """Answer 204 to what is signed, 400 to what is not."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LARGEST))
        try:
            # The bytes as they came: a body that was parsed and written again no longer has its signature.
            event = self.webhook.verify(body, dict(self.headers.items()))
        except (WebhookVerificationError, ValueError) as error:
            return self._answer(400, f"refused: {error}")
        # Delivery is at least once. A repeat has the same id, so acting once is up to the receiver.
        if self.headers["webhook-id"] in self.seen:
            return self._answer(204, "a repeat, dropped")
        self.seen.add(self.headers["webhook-id"])
        return self._answer(204, f"{event['type']}  {event['subject']}  {event['data']['title']}")

    def _answer(self, status: int, note: str) -> None:
        self.send_response(status)
        self.end_headers()
        print(note, flush=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each request: `_answer` does."""


if __name__ == "__main__":
    Receiver.webhook = Webhook(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 9000), Receiver)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
