"""Health, metrics, and the marks that every answer bears."""

import pytest
from werkzeug.test import EnvironBuilder

from tests.ingest.door import Door, event, problem


def test_a_front_door_with_store_and_broker_is_ready(door: Door) -> None:
    answer = door.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "parts": {"store": "ok", "broker": "ok"}},
    )
    assert door.app.test_client().get("/livez").json == {"status": "alive"}


def test_metrics_hold_the_counts_of_all_services(door: Door) -> None:
    door.store.counters.add("deliveries_total", {"channel": "webhook", "outcome": "delivered"}, 3)
    door.store.counters.add("deliveries_total", {"channel": "email"}, 1)
    door.post_events([event(), event(id="b", subject="ben")])
    answer = door.app.test_client().get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'tandem_deliveries_total{channel="webhook",outcome="delivered"} 3.0' in lines
    assert 'tandem_deliveries_total{channel="email",outcome=""} 1.0' in lines
    assert lines.count("# TYPE tandem_deliveries_total counter") == 1
    assert "tandem_backlog 2.0" in lines
    assert "tandem_waiting 2.0" in lines


@pytest.mark.parametrize("path", ["/nope", "/v1/nope", "/v1", "/docs/../etc", "/v1/athletes/a/b/c"])
def test_what_is_not_there_is_a_problem(door: Door, path: str) -> None:
    problem(door.get(path), 404)


def test_an_answer_goes_to_the_server_in_one_piece(door: Door) -> None:
    answer = door.app(EnvironBuilder("/livez").get_environ(), lambda *_: lambda _: None)
    assert answer == [b'{"status":"alive"}\n']


def test_an_answer_to_head_has_the_length_of_the_body_and_none(door: Door) -> None:
    answer = door.app.test_client().head("/livez")
    assert (answer.content_length, answer.data) == (19, b"")


def test_an_answer_bears_the_senders_own_request_id(door: Door) -> None:
    answer = door.post_events(event(), headers={"X-Request-ID": "batch-7.1"})
    assert answer.headers["X-Request-ID"] == "batch-7.1"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 200, "<script>"])
def test_a_request_id_that_is_no_plain_word_is_replaced(door: Door, sent: str) -> None:
    answer = door.post_events(event(), headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"].startswith("req_")


def test_a_fault_of_ours_is_a_500_that_tells_nothing_but_its_id(
    door: Door, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def now(self) -> None:
            raise RuntimeError("redis://user:hunter2@store")

    monkeypatch.setattr("services.ingest.rules.parts", lambda: Broken().now())
    told = problem(door.get("/v1/rules"), 500)
    assert "hunter2" not in str(told)
    assert told["request_id"] in capsys.readouterr().out
