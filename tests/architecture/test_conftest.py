"""The rules that conftest.py holds every other test to are themselves held."""

import socket
from pathlib import Path

import pytest
import redis

from tests.network import OutsideConnectionError, allowed

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "172.17.0.2"])
def test_this_machine_may_be_reached(host: str) -> None:
    assert allowed(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "8.8.8.8", "example.com", "2001:db8::1", "169.254.169.254"])
def test_nothing_else_may_be_reached(host: str) -> None:
    assert not allowed(host)


def test_a_connection_to_the_outside_fails_loudly() -> None:
    with socket.socket() as outside, pytest.raises(OutsideConnectionError, match=r"192\.0\.2\.1"):
        outside.connect(("192.0.2.1", 9))


def test_each_test_begins_with_an_empty_store(store_url: str) -> None:
    with redis.Redis.from_url(store_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


def test_what_a_test_leaves_behind_is_gone_for_the_next(store_url: str) -> None:
    with redis.Redis.from_url(store_url) as client:
        assert client.get("left") is None


SKIPPING = """
import pytest

@pytest.mark.skip(reason="no engine here")
def test_skipped(): ...

@pytest.mark.may_skip_in_ci(reason="shown")
def test_allowed_to_skip():
    pytest.skip("allowed")

@pytest.mark.xfail(reason="known")
def test_known_failure():
    assert False
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    root = Path(__file__).parents[2]
    pytester.makepyprojecttoml((root / "pyproject.toml").read_text())
    tests = pytester.mkdir("tests")
    for name in ("conftest.py", "network.py"):
        (tests / name).write_text((root / "tests" / name).read_text())
    (tests / "test_some.py").write_text(SKIPPING)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def test_a_skip_is_a_failure_in_ci(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_subprocess("tests")
    result.assert_outcomes(errors=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*skipped in CI, where nothing may be: *no engine here*"])


def test_a_skip_is_a_skip_elsewhere(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    suite.runpytest_subprocess("tests").assert_outcomes(skipped=2, xfailed=1)


def test_a_module_that_skips_itself_fails_in_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    (suite.path / "tests" / "test_some.py").write_text(
        "import pytest\npytest.importorskip('no_such_module')\n"
    )
    result = suite.runpytest_subprocess("tests")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*skipped in CI*no_such_module*"])
