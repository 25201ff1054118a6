"""Whether and how each item of a delivery is said now: by what the advice has become and what was told before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.notify.channels.message import Said
from shared.contracts.advice import AdviceEventType, AdviceRecord
from shared.contracts.athletes import Athlete
from shared.contracts.subscriptions import Channel, DeliveryItem
from shared.store.claims import Told

Dropped = Literal[
    "advice_unknown",
    "never_told",
    "standing_again",
    "withdrawn_before_sent",
    "expired_before_sent",
    "dismissed",
    "newer_revision",
    "already_told",
]


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at the moment of sending."""

    channel: Channel
    records: Mapping[str, AdviceRecord]
    athletes: Mapping[str, Athlete]
    told: Mapping[str, Told]
    now: datetime


def say(item: DeliveryItem, look: Look) -> Said | Dropped:
    """Return what to say of the item now, or the reason why nothing is said."""
    record = look.records.get(item.advice_id)
    if record is None:
        return "advice_unknown"
    reason = _not_worth_saying(item, record, look)
    if reason is not None:
        return reason
    athlete = look.athletes.get(item.athlete) or Athlete(record.advice.club, item.athlete)
    return Said(_type(item, record, look.told.get(item.advice_id)), record, athlete)


def _not_worth_saying(item: DeliveryItem, record: AdviceRecord, look: Look) -> Dropped | None:  # noqa: PLR0911 - one line a reason
    told = look.told.get(item.advice_id)
    over = record.state == "expired" or record.advice.expires_at <= look.now
    if item.type == "advice.withdrawn":
        if record.state != "withdrawn":
            return "standing_again"
        # Whoever was told is told, also when the advice has meanwhile run out by itself.
        return "never_told" if told is None else None
    if record.state == "withdrawn":
        return "withdrawn_before_sent"
    if over:
        return "expired_before_sent"
    if record.state == "dismissed":
        return "dismissed"
    # A webhook gets every revision under a name of its own; people read the advice as it stands.
    if look.channel == "webhook" and record.revision > item.revision:
        return "newer_revision"
    if told is not None and told.certain and told.revision >= record.revision:
        return "already_told"
    return None


def _type(item: DeliveryItem, record: AdviceRecord, told: Told | None) -> AdviceEventType:
    """Whoever was never told hears of it as new; whoever knows an earlier revision, as changed."""
    if item.type == "advice.withdrawn":
        return "advice.withdrawn"
    if told is None:
        return "advice.issued"
    # A repeat of what may have arrived says the same again.
    return "advice.updated" if told.revision < record.revision else item.type
