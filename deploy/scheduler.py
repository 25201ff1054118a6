"""The tick: finds what is due and what a lost wake-up left behind. Any number may run; a lease lets one tick."""

import contextlib
import os
import secrets
import socket
import threading

import structlog

import services.notify.sweep
import services.rules.sweep
from deploy.heartbeat import beat
from shared.broker import celery_app
from shared.clock import clock_for
from shared.settings import Settings
from shared.store.connect import StoreUnavailableError, connect

LEASE_MS = 5_000
"""Wall time after which another scheduler takes over from one that died."""

_SWEEPS = (services.rules.sweep.sweep, services.notify.sweep.sweep)

log = structlog.get_logger()


def run(settings: Settings, stopping: threading.Event) -> None:
    """Tick every `settings.tick_s`, or as soon as the clock is stepped, until `stopping` is set."""
    store = connect(str(settings.redis_url))
    app = celery_app(settings, "scheduler")
    clock = clock_for(settings, store)
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    leading = False
    while not stopping.is_set():
        try:
            leads = store.ticking.lease(holder, LEASE_MS)
            if leads and not leading:
                log.info("scheduler.leads", holder=holder)
            leading = leads
            if leads:
                for sweep in _SWEEPS:
                    sweep(store, app, clock.now())
                store.ticking.pause(settings.tick_s)
            else:
                stopping.wait(settings.tick_s)
            beat("scheduler")
        except StoreUnavailableError as error:
            leading = False
            log.warning("scheduler.store_away", error=str(error))
            stopping.wait(settings.tick_s)
        except Exception:
            # Without a tick nothing that depends on time happens: never end on one bad round.
            log.exception("scheduler.round_failed")
            stopping.wait(settings.tick_s)
    if leading:
        with contextlib.suppress(StoreUnavailableError):  # then the lease lapses by itself
            store.ticking.release(holder)
    store.close()
