"""Which channels there are: each folder here that holds a sender, wired with what the settings give it."""

from collections.abc import Mapping

from services.notify.channels.email.sender import EmailSender
from services.notify.channels.http import Poster
from services.notify.channels.mattermost.sender import MattermostSender
from services.notify.channels.message import Sender
from services.notify.channels.slack.sender import SlackSender
from services.notify.channels.webhook.sender import WebhookSender
from shared.contracts.subscriptions import Channel
from shared.settings import Settings
from shared.store.connect import Store
from shared.unsubscribe import unsubscribe_token


def senders(settings: Settings, store: Store) -> Mapping[Channel, Sender]:
    """Return the sender of each channel that this deployment can use; e-mail needs a mail server."""
    poster = Poster(settings.webhook_allow_networks)
    made: dict[Channel, Sender] = {
        "webhook": WebhookSender(poster, settings.public_url),
        "slack": SlackSender(poster, settings.public_url),
        "mattermost": MattermostSender(poster, settings.public_url),
    }
    if settings.smtp_url is not None and settings.mail_from is not None:
        made["email"] = EmailSender(
            settings.smtp_url,
            settings.mail_from,
            settings.public_url,
            lambda club, athlete: unsubscribe_token(store.signing_key(), club, athlete),
        )
    return made
