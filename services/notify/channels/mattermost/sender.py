"""Mattermost: an incoming webhook's message attachments."""

import re
from dataclasses import dataclass

from services.notify.channels import chat
from services.notify.channels.http import Poster
from services.notify.channels.message import Message, Sent

MOST_TEXT = 4_000
MOST_ATTACHMENTS = 20
# Mattermost's answers for hooks that were deleted or whose channel is gone.
GONE = frozenset({"Invalid webhook", "web.incoming_webhook.invalid.app_error"})
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:&])")


@dataclass(frozen=True, slots=True)
class MattermostSender:
    """Posts to the subscription's incoming webhook."""

    poster: Poster
    public_url: str

    def send(self, message: Message) -> Sent:
        """Post one message with an attachment for each advice event."""
        return chat.post(self.poster, message, body(message, self.public_url), GONE)


def body(message: Message, public_url: str) -> dict[str, object]:
    """Return the message."""
    if not message.said:
        title, text = chat.plain(message)
        attachment = {"fallback": title, "title": title, "text": escaped(text)}
        return {"username": "Tandem", "attachments": [attachment]}
    told = [chat.lines(said, public_url) for said in message.said]
    attachments: list[dict[str, object]] = [
        {
            "fallback": chat.clipped(f"{line.mark} {escaped(line.heading)}: {escaped(line.text)}", MOST_TEXT),
            "color": line.colour,
            "title": f"{line.mark} {escaped(line.heading)}",
            "title_link": line.link,
            "text": chat.clipped(
                escaped(line.text) + (f"\n\n_why: {escaped(line.why)}_" if line.why else ""), MOST_TEXT
            ),
            "footer": chat.clipped(escaped(line.footer), 300),
        }
        for line in told[:MOST_ATTACHMENTS]
    ]
    left = len(told) - MOST_ATTACHMENTS
    return {"username": "Tandem", "text": f"and {left} more" if left > 0 else "", "attachments": attachments}


def escaped(text: str) -> str:
    """Return `text` so that Mattermost shows it as it is: no mention, no link, no formatting."""
    # A mention has no escape: a word joiner after the @ keeps it visible and calls nobody.
    return _MARKUP.sub(r"\\\1", text).replace("@", "@\u2060").replace("\n", " ")
