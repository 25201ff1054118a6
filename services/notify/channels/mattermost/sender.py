"""Mattermost: an incoming webhook's message attachments."""

import re
from dataclasses import dataclass

from services.notify.channels import chat
from services.notify.channels.http import Poster
from services.notify.channels.means import Means
from services.notify.channels.message import Message, Sent

MOST_TEXT = 3_000
MOST_TITLE = 250
MOST_FOOTER = 300  # Mattermost cuts there
MOST_ATTACHMENTS = 20
# The `id` in Mattermost's answer for a hook that does not exist (any more).
GONE = frozenset({"web.incoming_webhook.invalid.app_error"})
# The characters that Mattermost's Markdown takes a backslash before; before any other it would show the backslash.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!~|])")
# Mentions, channels, hashtags, emoji names and links are found after that, and have no escape of their own: a word
# joiner behind the sign cannot be seen, and ends what it begins.
_SIGNS = re.compile(r"([@#~]|:(?=\S))")
_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class MattermostSender:
    """Posts to the subscription's incoming webhook."""

    poster: Poster
    public_url: str

    def send(self, message: Message) -> Sent:
        """Post one message with an attachment for each advice event."""
        return chat.post(self.poster, message, body(message, self.public_url), GONE)


def make(means: Means) -> MattermostSender:
    """Return the channel's sender."""
    return MattermostSender(means.poster, means.settings.public_url)


def body(message: Message, public_url: str) -> dict[str, object]:
    """Return the message. A title that is a link, a footer and a fallback are shown as they are; a text is Markdown."""
    if not message.said:
        title, text = chat.plain(message)
        return {
            "username": "Tandem",
            "attachments": [{"fallback": title, "title": title, "text": escaped(text)}],
        }
    told = [chat.lines(said, public_url) for said in message.said]
    attachments: list[dict[str, object]] = [
        {
            "fallback": calling_nobody(chat.clipped(f"{line.mark} {line.heading}", MOST_TITLE)),
            "color": line.colour,
            "title": calling_nobody(chat.clipped(f"{line.mark} {line.heading}", MOST_TITLE)),
            "title_link": line.link,
            "text": _text(line),
            "footer": calling_nobody(chat.clipped(line.footer, MOST_FOOTER - 50)),
        }
        for line in told[:MOST_ATTACHMENTS]
    ]
    left = len(told) - MOST_ATTACHMENTS
    more = {"text": f"and {left} more"} if left > 0 else {}
    return {"username": "Tandem", **more, "attachments": attachments}


def escaped(text: str) -> str:
    """Return `text` so that Mattermost's Markdown shows it as it is: no mention, no link, no formatting."""
    # `<` begins links, in Slack's form too, and `>` quotes; as entities they are only characters.
    entities = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return calling_nobody(_MARKUP.sub(r"\\\1", " ".join(entities.split())))


def calling_nobody(text: str) -> str:
    """Return `text` so that no name, channel, tag or address in it is taken for one."""
    return _SIGNS.sub(rf"\1{_JOINER}", text)


def _text(line: chat.Lines) -> str:
    text = escaped(chat.clipped(line.text, MOST_TEXT))
    return f"{text}\n\nWhy: {escaped(line.why)}" if line.why else text
