"""Advice and messages to try the pure parts on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.channels.message import Message, Said
from shared.contracts.advice import Advice, AdviceEventType, AdviceRecord, AnchorRef, Because
from shared.contracts.athletes import Athlete
from shared.contracts.subscriptions import Channel, DeliveryKind, Subscription

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def record(**changes: Any) -> AdviceRecord:
    """Return a suggestion about a run, with `changes` to its content."""
    content: dict[str, Any] = {
        "id": "adv_1", "club": "clb_test", "athlete": "ada", "rule": "refuel-after-run", "rule_version": 1,
        "rule_hash": "h", "category": "surplus", "severity": "suggestion", "title": "Eat back what the run took",
        "message": "About 300 kcal are missing: a snack will do.", "due": NOW, "expires_at": NOW + timedelta(hours=6),
        "because": Because(AnchorRef("each", "gym\x1f1", NOW), (), {"missing_kcal": 300.0, "run.distance_m": 8000.0}),
        "evidence": "moderate", "sources": ("ACSM running equation",),
    }  # fmt: skip
    return AdviceRecord(Advice(**{**content, **changes}), 0, "active", NOW, NOW)


def said(type: AdviceEventType = "advice.issued", name: str | None = "Ada", **changes: Any) -> Said:  # noqa: A002
    """Return one advice event about an athlete called `name`."""
    return Said(type, record(**changes), Athlete("clb_test", "ada", name=name))


def message(
    *items: Said,
    channel: Channel = "slack",
    kind: DeliveryKind = "advice",
    target: str = "https://x.test/",
    notice: str = "",
) -> Message:
    """Return a message of `items` to a subscription of `channel`."""
    subscription = Subscription("sub_1", "clb_test", channel, target, NOW)
    return Message("dlv_1", kind, subscription, items, NOW, target, notice)
