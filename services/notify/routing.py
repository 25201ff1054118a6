"""Who is told of an advice event, and for each who is not, the reason by name."""

from dataclasses import dataclass
from typing import Literal

from shared.contracts.advice import SEVERITIES, AdviceRecord
from shared.contracts.athletes import Athlete
from shared.contracts.subscriptions import Subscription
from shared.store.outbox import OutboxEntry

Reason = Literal[
    "matched",
    "subscription_disabled",
    "athlete_not_listed",
    "category_filtered",
    "severity_below",
    "nothing_new_to_read",
    "no_email_consent",
    "no_address",
]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a subscription gets a delivery, and why (not)."""

    subscription: Subscription
    reason: Reason

    @property
    def send(self) -> bool:
        """Whether a delivery is to be made."""
        return self.reason == "matched"


def route(
    entry: OutboxEntry, record: AdviceRecord, athlete: Athlete | None, subscriptions: tuple[Subscription, ...]
) -> tuple[Decision, ...]:
    """Decide for each of the club's subscriptions. What has been told already is looked at when it is sent."""
    return tuple(Decision(each, _reason(entry, record, athlete, each)) for each in subscriptions)


def _reason(  # noqa: PLR0911 - one line a reason
    entry: OutboxEntry, record: AdviceRecord, athlete: Athlete | None, subscription: Subscription
) -> Reason:
    advice = record.advice
    if not subscription.enabled:
        return "subscription_disabled"
    if subscription.athletes and advice.athlete not in subscription.athletes:
        return "athlete_not_listed"
    if subscription.categories and advice.category not in subscription.categories:
        return "category_filtered"
    # A withdrawal passes whatever the severity is now: it goes to whoever was told before.
    below = SEVERITIES.index(advice.severity) < SEVERITIES.index(subscription.min_severity)
    if below and entry.type != "advice.withdrawn":
        return "severity_below"
    if not entry.visible and subscription.channel != "webhook":
        return "nothing_new_to_read"
    if subscription.channel == "email":
        return email_reason(athlete, subscription.target)
    return "matched"


def email_reason(
    athlete: Athlete | None, target: str
) -> Literal["matched", "no_email_consent", "no_address"]:
    """Whether mail about the athlete may go to `target`: never without the athlete's consent, whoever reads it."""
    if athlete is None or not athlete.email_consent:
        return "no_email_consent"
    if target == "athlete" and athlete.email is None:
        return "no_address"
    return "matched"
