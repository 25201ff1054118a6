"""Which channels there are: each folder here with a sender. A folder that is deleted is a channel less, no more."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import cast

from services.notify import channels
from services.notify.channels.http import Poster
from services.notify.channels.means import Means
from services.notify.channels.message import Sender
from shared.contracts.subscriptions import CHANNELS, Channel
from shared.settings import Settings
from shared.store.connect import Store
from shared.unsubscribe import unsubscribe_token


def senders(settings: Settings, store: Store) -> Mapping[Channel, Sender]:
    """Return the sender of each channel that these settings give the means for."""
    poster = Poster(settings.webhook_allow_networks)
    means = Means(
        settings, poster, lambda club, athlete: unsubscribe_token(store.signing_key(), club, athlete)
    )
    made: dict[Channel, Sender] = {}
    for folder in pkgutil.iter_modules(channels.__path__):
        if not folder.ispkg:
            continue
        if folder.name not in CHANNELS:
            raise LookupError(
                f"channels/{folder.name} is no channel of shared.contracts.subscriptions: {', '.join(CHANNELS)}"
            )
        # `make(means)` gives the sender, or None where the settings lack what the channel needs.
        sender = cast("Sender | None", import_module(f"{channels.__name__}.{folder.name}.sender").make(means))
        if sender is not None:
            made[folder.name] = sender
    return made
