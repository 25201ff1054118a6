"""The front door's composition root: settings in, a WSGI application out, once in each worker process."""

import atexit
import gc
from collections.abc import Callable

from flask import Flask

from services.ingest.app import create_app
from services.ingest.parts import RuleDesk
from services.ingest.server import BLOCKING_THREADS
from services.ingest.wakeups import Wakeups
from shared.broker import celery_app
from shared.clock import clock_for
from shared.logging import configure
from shared.orphans import end_with_parent
from shared.settings import SettingsError, read_settings
from shared.store.connect import Store, connect


def make_app(desk: Callable[[Store], RuleDesk]) -> Flask:
    """Read the settings from the environment and return the application, which asks `desk` about rules."""
    # Granian's worker would outlive a killed granian, keep the port, and take requests beside the next one.
    end_with_parent()
    settings = read_settings()
    if settings.redis_url is None:
        raise SettingsError("TANDEM_REDIS_URL is not set; start `tandem up`, or point it at the store")
    configure(settings)
    store = connect(settings.redis_url, BLOCKING_THREADS)
    wake = Wakeups(celery_app(settings, "ingest"), store.calls)
    atexit.register(wake.close)
    app = create_app(settings, store, clock_for(settings, store), wake, desk(store))
    # What is here now is here to stay. To look through it for garbage would keep every thread waiting for 50 ms.
    gc.collect()
    gc.freeze()
    return app
