"""What Prometheus may scrape: this service's requests and events, and the counts that all services keep in the store.

Several worker processes count together when PROMETHEUS_MULTIPROC_DIR names a directory (prometheus-client's own way).
"""

import os
from collections.abc import Iterable, Iterator
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from shared.clock import Clock
from shared.store.connect import Store
from shared.store.counters import Sample

_PREFIX = "tandem_"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_REGISTRY = CollectorRegistry()
_REQUESTS = Histogram(
    "tandem_http_request_seconds",
    "Time to answer a request",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_REGISTRY,
)
_EVENTS = Counter("tandem_events", "Events posted, by what came of them", ["outcome"], registry=_REGISTRY)


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    _requests(method, route, status).observe(seconds)


def count_events(*, accepted: int, duplicates: int, rejected: int) -> None:
    """Count what came of the events of one request."""
    for outcome, number in (("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected)):
        if number:
            _events(outcome).inc(number)


# Kept, because looking a count up by its labels costs more than counting. There are as many as there are metrics.
@cache
def _requests(method: str, route: str, status: int) -> Histogram:
    return _REQUESTS.labels(method, route, str(status))


@cache
def _events(outcome: str) -> Counter:
    return _EVENTS.labels(outcome)


def exposition(store: Store, clock: Clock) -> bytes:
    """Return all metrics as text. Raise `StoreUnavailableError` when the store does not answer."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # prometheus-client leaves it so
    else:
        registry.register(_Passed(_REGISTRY.collect()))
    registry.register(_Passed(_gauges(store, clock)))
    registry.register(_Passed(_counters(store.counters.read())))
    return generate_latest(registry)


class _Passed(Collector):
    """Hands on metrics that were collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _gauges(store: Store, clock: Clock) -> Iterator[Metric]:
    gauges = {
        "tandem_backlog": ("Athletes marked for evaluation", store.due.backlog()),
        "tandem_oldest_waiting_seconds": (
            "How long the athlete that has waited longest for an evaluation has waited",
            store.due.oldest_s(),
        ),
        "tandem_waiting": (
            "Athletes marked, due or with advice to route, and subscriptions with a delivery due or in flight",
            store.outlook.at(clock.now()).waiting,
        ),
    }
    for name, (text, value) in gauges.items():
        gauge = GaugeMetricFamily(name, text)
        gauge.add_metric([], value)
        yield gauge


def _counters(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Yield one metric a name, with the labels that any of its samples has: a name may be described only once."""
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(_PREFIX + sample.name.removeprefix(_PREFIX), []).append(sample)
    for name, found in by_name.items():
        labels = sorted({label for sample in found for label in sample.labels})
        family = CounterMetricFamily(name, "Counted by all services in the store", labels=labels)
        for sample in found:
            family.add_metric([sample.labels.get(label, "") for label in labels], sample.value)
        yield family
