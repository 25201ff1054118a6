"""Slack: an incoming webhook's Block Kit message."""

import re
from dataclasses import dataclass

from services.notify.channels import chat
from services.notify.channels.http import Poster
from services.notify.channels.message import Message, Sent

MOST_SECTION = 3_000  # Slack refuses longer section texts
MOST_BLOCKS = 50
_PER_ITEM = 3
# Slack's own words for hooks that are unlikely to ever work again.
GONE = frozenset({"no_service", "channel_is_archived", "channel_not_found", "action_prohibited", "no_team"})
# Slack wants exactly these three escaped; the marks of its markup have no escape, so a joiner takes their effect.
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = re.compile(r"([*_~`|:@#])")


@dataclass(frozen=True, slots=True)
class SlackSender:
    """Posts to the subscription's incoming webhook."""

    poster: Poster
    public_url: str

    def send(self, message: Message) -> Sent:
        """Post one message with a block group for each advice event."""
        return chat.post(self.poster, message, body(message, self.public_url), GONE)


def body(message: Message, public_url: str) -> dict[str, object]:
    """Return the message: blocks for reading, and the plain text that notifications show."""
    if not message.said:
        title, text = chat.plain(message)
        return {"text": title, "blocks": [_section(f"*{title}*\n{escaped(text)}")]}
    told = [chat.lines(said, public_url) for said in message.said]
    blocks: list[dict[str, object]] = []
    for line in told[: MOST_BLOCKS // _PER_ITEM]:
        blocks.append(_section(f"{line.mark} *{escaped(line.heading)}*\n{escaped(line.text)}"))
        context = [
            part for part in (f"why: {escaped(line.why)}" if line.why else "", escaped(line.footer)) if part
        ]
        context.append(f"<{line.link}|details>")
        elements = [{"type": "mrkdwn", "text": chat.clipped(text, MOST_SECTION)} for text in context]
        blocks.append({"type": "context", "elements": elements})
    left = len(told) - MOST_BLOCKS // _PER_ITEM
    if left > 0:
        blocks.append(_section(f"and {left} more"))
    text = chat.clipped("; ".join(f"{line.mark} {escaped(line.heading)}" for line in told), MOST_SECTION)
    return {"text": text, "blocks": blocks, "unfurl_links": False}


def escaped(text: str) -> str:
    """Return `text` so that Slack shows it as it is: no mention, no link, no formatting."""
    entities = "".join(_ESCAPES.get(character, character) for character in text)
    # A word joiner after the mark keeps it visible and takes its meaning; entities keep their ampersands.
    return _MARKUP.sub("\\1\u2060", entities)


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": chat.clipped(text, MOST_SECTION)}}
