"""Webhooks: the advice CloudEvent, signed by Standard Webhooks (https://www.standardwebhooks.com)."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from standardwebhooks.webhooks import Webhook

from services.notify.channels.http import Poster
from services.notify.channels.means import Means
from services.notify.channels.message import Message, Sent
from shared.contracts.advice_schema import advice_event
from shared.contracts.subscriptions import Secret
from shared.contracts.wire_times import instant_text

_json = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Posts to the subscription's URL. `source` is the public URL of this Tandem."""

    poster: Poster
    source: str

    def send(self, message: Message) -> Sent:
        """Post one signed CloudEvent."""
        body = _json.encode(self._event(message))
        headers = {
            "Content-Type": "application/cloudevents+json",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(message.at.timestamp())),
            "webhook-signature": signatures(
                message.subscription.secrets, message.id, message.at, body.decode()
            ),
        }
        return self.poster.post(message.to, body, headers, message.at, named=True)

    def _event(self, message: Message) -> dict[str, object]:
        if message.kind == "advice":
            said = message.said[0]
            return advice_event(said.record, said.type, self.source, message.id, said.record.changed_at)
        return {
            "specversion": "1.0",
            "id": message.id,
            "source": self.source,
            "type": "tandem.test" if message.kind == "test" else "tandem.notice",
            "time": instant_text(message.at),
            "datacontenttype": "application/json",
            "data": {
                "subscription_id": message.subscription.id,
                "message": message.notice or "This is a test from Tandem.",
            },
        }


def make(means: Means) -> WebhookSender:
    """Return the channel's sender."""
    return WebhookSender(means.poster, means.settings.public_url)


def signatures(secrets: tuple[Secret, ...], webhook_id: str, at: datetime, body: str) -> str:
    """Return a signature by each secret that is still valid at `at`, separated by spaces."""
    valid = [secret.value for secret in secrets if secret.until is None or secret.until > at]
    return " ".join(Webhook(secret).sign(webhook_id, at, body) for secret in valid)
