"""Whether a subscription may have its target: an address that mail can go to, or a URL that does not reach inside."""

from services.ingest.problems import invalid
from shared.contracts.faults import Fault, printable
from shared.contracts.subscription_schema import ATHLETES_OWN, is_email_target
from shared.contracts.subscriptions import Channel
from shared.guard import TargetRefusedError, check_url
from shared.settings import Settings


def check_target(settings: Settings, channel: Channel, target: str) -> None:
    """Refuse (422) a target that the channel cannot or must not send to."""
    if channel == "email":
        if settings.smtp_url is None:
            message = "cannot be email here: this Tandem has no mail server (TANDEM_SMTP_URL)"
            raise invalid([Fault("channel", message, channel)])
        if not is_email_target(target):
            message = f"must be an e-mail address, or {ATHLETES_OWN} for each athlete's own"
            raise invalid([Fault("target", message, printable(target))])
        return
    try:
        check_url(target, settings.webhook_allow_networks)
    except TargetRefusedError as error:
        # What was found is left out: a target of team chat is a secret, and errors end up in logs.
        raise invalid([Fault("target", str(error))]) from None
