"""Slack: an incoming webhook's Block Kit message."""

from dataclasses import dataclass

from services.notify.channels import chat
from services.notify.channels.http import Poster
from services.notify.channels.means import Means
from services.notify.channels.message import Message, Sent

# Slack refuses a whole message when one of these is passed.
MOST_HEADER = 150
MOST_TEXT = 3_000
MOST_BLOCKS = 50
_BLOCKS_EACH = 3
MOST_ITEMS = MOST_BLOCKS // _BLOCKS_EACH - 1
# Slack's own words for hooks that are unlikely to ever work again.
GONE = frozenset(
    {
        "no_service", "no_service_id", "no_team", "team_disabled", "channel_is_archived", "channel_not_found",
        "action_prohibited", "posting_to_general_channel_denied", "invalid_token",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SlackSender:
    """Posts to the subscription's incoming webhook."""

    poster: Poster
    public_url: str

    def send(self, message: Message) -> Sent:
        """Post one message with a block group for each advice event."""
        return chat.post(self.poster, message, body(message, self.public_url), GONE)


def make(means: Means) -> SlackSender:
    """Return the channel's sender."""
    return SlackSender(means.poster, means.settings.public_url)


def body(message: Message, public_url: str) -> dict[str, object]:
    """Return the message: blocks for reading, and the one line that notifications show.

    Whatever comes from people stands in `plain_text` objects, which Slack shows as they are: mrkdwn has no escape for
    its marks. Only our own link is mrkdwn.
    """
    if not message.said:
        title, text = chat.plain(message)
        return {"text": escaped(title), "mrkdwn": False, "blocks": [_header(title), _section(text)]}
    told = [chat.lines(said, public_url) for said in message.said]
    blocks: list[dict[str, object]] = []
    for line in told[:MOST_ITEMS]:
        small = [_plain(f"Why: {line.why}")] if line.why else []
        link = {"type": "mrkdwn", "text": f"<{line.link}|Details>"}
        blocks += [
            _header(f"{line.mark} {line.heading}"),
            _section(line.text),
            {"type": "context", "elements": [*small, _plain(line.footer), link]},
        ]
    left = len(told) - MOST_ITEMS
    if left > 0:
        blocks.append(_section(f"and {left} more"))
    text = chat.clipped("; ".join(f"{line.mark} {line.heading}" for line in told), MOST_TEXT // 6)
    return {"text": escaped(text), "mrkdwn": False, "blocks": blocks, "unfurl_links": False}


def escaped(text: str) -> str:
    """Return `text` for the notification line, where Slack wants these three escaped, and calls nobody then."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(text: str) -> dict[str, object]:
    return {"type": "header", "text": _plain(text, MOST_HEADER)}


def _section(text: str) -> dict[str, object]:
    return {"type": "section", "text": _plain(text)}


def _plain(text: str, most: int = MOST_TEXT) -> dict[str, object]:
    return {"type": "plain_text", "text": chat.clipped(text, most), "emoji": False}
