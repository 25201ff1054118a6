"""Ids that Tandem makes: random ones in the order of their making, and those derived from what they name."""

import base64
import hashlib
import secrets
from datetime import datetime

from shared.contracts.partitions import partition_of_subscription


def new_id(prefix: str, now: datetime) -> str:
    """`prefix_` and 23 characters of `0-9a-v`: ids made at later milliseconds sort after earlier ones."""
    stamp = int(now.timestamp() * 1000).to_bytes(6)
    return f"{prefix}_{_sortable(stamp)}{_sortable(secrets.token_bytes(8))}"


def delivery_id(subscription: str, *parts: str) -> str:
    """The one name of a delivery to `subscription`: the same parts give the same id, so a repeat cannot double it."""
    digest = hashlib.sha256("\x1e".join((subscription, *parts)).encode()).digest()
    name = base64.b32encode(digest[:15]).decode().lower()
    return f"dlv_{partition_of_subscription(subscription):02x}{name}"


def _sortable(raw: bytes) -> str:
    return base64.b32hexencode(raw).decode().rstrip("=").lower()
