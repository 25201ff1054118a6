"""A delivery says what is true when it is sent, to whom it was promised, once; and every silence has a reason."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from deploy.mailcatcher import MailCatcher
from services.notify.channels.http import Poster
from services.notify.channels.webhook.sender import WebhookSender
from services.notify.draining import AT_ONCE
from shared.broker import NOTIFY_QUEUE
from shared.contracts.athletes import QuietHours
from shared.contracts.subscriptions import Schedule, Secret
from shared.store.claims import Claim, Outcome
from shared.store.deliveries import Deliveries
from shared.store.keys import AthleteKeys
from tests.notify.conftest import CLUB, NOW, SECRET, Bench, Endpoint, hang


def types(endpoint: Endpoint) -> list[str]:
    return [request.json["type"] for request in endpoint.requests]


def test_advice_goes_out_signed_so_that_two_libraries_verify_it(bench: Bench, endpoint: Endpoint) -> None:
    bench.clock.instant = datetime.now(UTC).replace(microsecond=0)  # verifiers refuse old timestamps
    subscription = bench.subscribe(target=f"{endpoint.url}/hook")
    record = bench.advise(expires=timedelta(days=10_000))
    bench.route()
    (request,) = endpoint.requests
    for verifier in (Webhook(SECRET), SvixWebhook(SECRET)):
        verifier.verify(request.body, request.headers)
    delivery = bench.only(subscription)
    assert (delivery.state, delivery.reason) == ("delivered", "delivered")
    assert request.headers["webhook-id"] == delivery.id == request.json["id"]
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.json["data"]["advice_id"] == record.advice.id
    assert request.json["source"] == "https://tandem.test"


def test_both_secrets_sign_while_one_takes_over(bench: Bench, endpoint: Endpoint) -> None:
    bench.clock.instant = datetime.now(UTC).replace(microsecond=0)
    old = "whsec_" + "b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZC0="
    until = bench.clock.instant + timedelta(hours=24)
    made = bench.subscribe(target=endpoint.url)
    bench.store.subscriptions.put(replace(made, secrets=(Secret(SECRET), Secret(old, until))))
    bench.advise(expires=timedelta(days=10_000))
    bench.route()
    request = endpoint.requests[0]
    for secret in (SECRET, old):
        Webhook(secret).verify(request.body, request.headers)
    assert len(request.headers["webhook-signature"].split()) == 2


def test_what_was_withdrawn_before_it_was_sent_is_never_told(bench: Bench, endpoint: Endpoint) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.clock.instant += timedelta(seconds=1)
    bench.advise("advice.withdrawn", revision=1)
    bench.route()
    assert endpoint.requests == []
    assert {each.reason for each in bench.deliveries(subscription)} == {"withdrawn_before_sent", "never_told"}


def test_whoever_was_told_is_told_of_the_withdrawal_and_of_the_return(
    bench: Bench, endpoint: Endpoint
) -> None:
    bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.route()
    bench.advise("advice.withdrawn", revision=1)
    bench.route()
    bench.advise("advice.issued", revision=2)
    bench.route()
    assert types(endpoint) == ["advice.issued", "advice.withdrawn", "advice.issued"]
    assert len({request.headers["webhook-id"] for request in endpoint.requests}) == 3


def test_a_change_is_an_update_to_whoever_knows_and_new_to_whoever_does_not(
    bench: Bench, endpoint: Endpoint
) -> None:
    bench.subscribe(target=f"{endpoint.url}/early")
    bench.advise()
    bench.route()
    bench.subscribe(target=f"{endpoint.url}/late")
    bench.advise("advice.updated", revision=1, message="Eat 500 kcal.")
    bench.route()
    told = {(request.path, request.json["type"]) for request in endpoint.requests}
    assert told == {("/early", "advice.issued"), ("/early", "advice.updated"), ("/late", "advice.issued")}


def test_an_older_revision_gives_way_to_the_newer(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [503]
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.route()
    bench.advise("advice.updated", revision=1, message="Eat 500 kcal.")
    bench.route()
    bench.at(seconds=6)
    assert [request.json["data"]["revision"] for request in endpoint.requests] == [0, 1]
    assert {each.reason for each in bench.deliveries(subscription)} == {"newer_revision", "delivered"}


def test_what_expired_while_the_endpoint_was_down_is_not_told(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [503] * 9
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise(expires=timedelta(minutes=20))
    bench.route()
    for step in (6, 330, 600, 1800):
        bench.at(seconds=step)
    delivery = bench.only(subscription)
    assert (delivery.state, delivery.reason) == ("failed", "expires_before_next_attempt")
    assert len(endpoint.requests) == 3


def test_a_failing_endpoint_is_tried_by_the_schedule_under_one_name(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [500, 429, 408]
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise(expires=timedelta(days=3))
    bench.route()
    bench.at(seconds=4)
    assert len(endpoint.requests) == 1  # not before its time
    bench.at(seconds=2)
    bench.at(minutes=6)
    bench.at(minutes=30)
    delivery = bench.only(subscription)
    assert delivery.state == "delivered"
    assert [attempt.reason for attempt in delivery.attempts] == [
        "http_500",
        "http_429",
        "http_408",
        "delivered",
    ]
    assert {request.headers["webhook-id"] for request in endpoint.requests} == {delivery.id}


def test_the_schedule_ends_and_a_redelivery_starts_it_anew(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [500] * 11
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise(expires=timedelta(days=9))
    bench.route()
    for _ in range(60):
        bench.at(hours=1)
    dead = bench.only(subscription)
    assert (dead.state, dead.reason, len(dead.attempts)) == ("failed", "attempts_exhausted", 10)
    bench.store.deliveries.redeliver(CLUB, dead.id, bench.clock.instant)
    bench.drain()
    assert bench.only(subscription).state == "pending"
    bench.at(seconds=6)
    assert bench.only(subscription).state == "delivered"


def test_retry_after_is_honoured(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers, endpoint.headers = [429], {"Retry-After": "600"}
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.route()
    assert bench.only(subscription).due == NOW + timedelta(seconds=600)


@pytest.mark.parametrize(("status", "reason"), [(400, "http_400"), (301, "http_301"), (404, "http_404")])
def test_a_refusal_is_final_and_a_redirect_is_not_followed(
    bench: Bench, endpoint: Endpoint, status: int, reason: str
) -> None:
    endpoint.answers, endpoint.headers = [status], {"Location": f"{endpoint.url}/elsewhere"}
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.route()
    assert (bench.only(subscription).state, bench.only(subscription).reason) == ("failed", reason)
    assert len(endpoint.requests) == 1


def test_410_disables_the_subscription_and_the_club_is_told(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [410]
    gone = bench.subscribe(target=f"{endpoint.url}/gone", description="old system")
    bench.advise()
    bench.route()
    chat = bench.subscribe("mattermost", f"{endpoint.url}/chat", categories=("hydration",))
    bench.store.subscriptions.put(replace(gone, enabled=True))
    endpoint.answers = [410]
    bench.advise(anchor="gym\x1f2")
    bench.shell.route([(CLUB, "ada")])
    bench.shell.deliver([(CLUB, gone.id)])
    bench.drain()
    known = bench.store.subscriptions.get(CLUB, gone.id)
    assert known is not None
    assert not known.enabled
    assert "gone" in str(known.disabled_reason)
    notices = [each for each in bench.deliveries(chat) if each.kind == "notice"]
    assert [each.state for each in notices] == ["delivered"]
    assert any(
        "old system" in request.body.decode() for request in endpoint.requests if request.path == "/chat"
    )


def test_five_days_of_failure_disable_the_subscription(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [500] * 100
    subscription = bench.subscribe(target=endpoint.url)
    for day in range(6):
        bench.advise(anchor=f"gym\x1f{day}", expires=timedelta(days=day + 2))
        bench.route()
        bench.at(days=1)
    known = bench.store.subscriptions.get(CLUB, subscription.id)
    assert known is not None
    assert not known.enabled
    bench.advise(anchor="gym\x1flast", expires=timedelta(days=30))
    bench.route()
    assert all(each.state != "pending" for each in bench.deliveries(subscription))


def test_a_worker_that_dies_after_sending_repeats_under_the_same_name(
    bench: Bench, endpoint: Endpoint
) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    bench.advise()
    bench.route()
    first = endpoint.requests[0].headers["webhook-id"]
    # As if `finish` had not happened: pending again, and told nobody knows of.
    bench.store.deliveries.finish(
        Outcome(replace(bench.only(subscription), state="pending", due=bench.clock.instant))
    )
    bench.store.client.delete(*bench.store.client.scan_iter("told:*"))
    bench.drain()
    assert [request.headers["webhook-id"] for request in endpoint.requests] == [first, first]


def test_a_hanging_endpoint_delays_no_other(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [hang(3)]
    bench.subscribe(target=f"{endpoint.url}/slow", categories=("surplus",))
    quick = bench.subscribe(target=f"{endpoint.url}/quick", categories=("hydration",))
    bench.advise()
    stuck = threading.Thread(target=bench.shell.route, args=([(CLUB, "ada")],))
    stuck.start()
    while not endpoint.requests:
        time.sleep(0.01)
    bench.advise(anchor="gym\x1f2", category="hydration")
    bench.shell.route([(CLUB, "ada")])
    assert bench.only(quick).state == "delivered"
    assert stuck.is_alive()
    stuck.join()


def test_filters_are_named_reasons_that_are_counted(bench: Bench, endpoint: Endpoint) -> None:
    options: list[dict[str, Any]] = [
        {"min_severity": "warning"},
        {"categories": ("hydration",)},
        {"athletes": ("ben",)},
        {"enabled": False},
    ]
    for each in options:
        bench.subscribe(target=endpoint.url, **each)
    bench.advise()
    bench.route()
    assert endpoint.requests == []
    reasons = {
        sample.labels["reason"] for sample in bench.store.counters.read() if sample.name == "deliveries_total"
    }
    assert reasons == {"severity_below", "category_filtered", "athlete_not_listed", "subscription_disabled"}


def test_people_are_not_told_again_when_only_the_evidence_changed(bench: Bench, endpoint: Endpoint) -> None:
    bench.subscribe("slack", f"{endpoint.url}/slack")
    bench.subscribe(target=f"{endpoint.url}/hook")
    bench.advise()
    bench.route()
    bench.advise("advice.updated", revision=1, visible=False)
    bench.route()
    assert sorted(request.path for request in endpoint.requests) == ["/hook", "/hook", "/slack"]


def test_mail_goes_out_with_consent_alone(bench: Bench, mail: MailCatcher) -> None:
    subscription = bench.subscribe("email", "athlete")
    bench.subscribe("email", "coach@club.test")
    bench.athlete(email="ada@example.org", email_consent=False)
    bench.advise()
    bench.route()
    assert mail.caught == []
    bench.athlete(email="ada@example.org", email_consent=True)
    bench.advise(anchor="gym\x1f2")
    bench.route()
    assert sorted(str(message["To"]) for message in mail.caught) == ["ada@example.org", "coach@club.test"]
    assert bench.only(subscription).state == "delivered"


def test_mail_keeps_its_message_id_and_can_be_unsubscribed_with_one_click(
    bench: Bench, mail: MailCatcher
) -> None:
    subscription = bench.subscribe("email", "athlete")
    bench.athlete(email="ada@example.org", email_consent=True)
    bench.advise(title="Eat\nBcc: eve@example.org")
    bench.route()
    first = mail.caught[0]
    bench.store.deliveries.finish(Outcome(replace(bench.only(subscription), state="pending", due=NOW)))
    bench.store.client.delete(*bench.store.client.scan_iter("told:*"))
    bench.drain()
    assert mail.caught[1]["Message-ID"] == first["Message-ID"]
    assert str(first["Message-ID"]).startswith(f"<{bench.only(subscription).id}@")
    assert str(first["List-Unsubscribe"]).startswith("<https://tandem.test/unsubscribe/")
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["Bcc"] is None
    assert {part.get_content_type() for part in first.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }


def test_quiet_hours_hold_mail_until_they_end(bench: Bench, mail: MailCatcher) -> None:
    bench.subscribe("email", "athlete")
    quiet = QuietHours(clock_time(12), clock_time(14))
    bench.athlete(email="ada@example.org", email_consent=True, quiet_hours=quiet)
    bench.advise()  # 12:00 UTC is 13:00 in Berlin
    bench.route()
    assert mail.caught == []
    bench.at(minutes=59)
    assert mail.caught == []
    bench.at(minutes=1)
    assert len(mail.caught) == 1


def test_a_digest_gathers_an_hour_and_leaves_out_what_was_withdrawn(bench: Bench, endpoint: Endpoint) -> None:
    subscription = bench.subscribe("slack", endpoint.url, schedule=Schedule("hourly"))
    bench.clock.instant = NOW + timedelta(minutes=10)
    bench.advise(title="First")
    bench.route()
    bench.advise(anchor="gym\x1f2", title="Second")
    bench.route()
    bench.advise(anchor="gym\x1f3", title="Third")
    bench.advise("advice.withdrawn", anchor="gym\x1f3", revision=1)
    bench.route()
    assert endpoint.requests == []
    bench.at(minutes=50)
    (request,) = endpoint.requests
    text = request.body.decode()
    assert "First" in text
    assert "Second" in text
    assert "Third" not in text
    assert bench.only(subscription).state == "delivered"


def test_a_deleted_subscription_gets_nothing_more(bench: Bench, endpoint: Endpoint) -> None:
    subscription = bench.subscribe(target=endpoint.url, schedule=Schedule("hourly"))
    bench.advise()
    bench.route()
    bench.store.subscriptions.delete(CLUB, subscription.id)
    bench.clock.instant += timedelta(hours=1)
    bench.shell.deliver([(CLUB, subscription.id)])
    assert endpoint.requests == []
    assert bench.only(subscription).reason == "subscription_deleted"


def test_a_target_that_turned_inward_is_refused_at_the_connection(bench: Bench, endpoint: Endpoint) -> None:
    subscription = bench.subscribe(target="http://10.0.0.1/hook")
    bench.advise()
    bench.route()
    assert bench.only(subscription).reason == "target_refused"
    assert endpoint.requests == []


def test_an_endpoint_that_is_enabled_again_has_five_days_anew(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [400] * 9
    subscription = bench.subscribe(target=endpoint.url)
    for day in range(3):
        bench.advise(anchor=f"gym\x1f{day}", expires=timedelta(days=30))
        bench.route()
        bench.clock.instant += timedelta(days=2.5)
    known = bench.store.subscriptions.get(CLUB, subscription.id)
    assert known is not None
    assert not known.enabled
    bench.store.subscriptions.put(replace(known, enabled=True, disabled_reason=None))
    bench.advise(anchor="gym\x1fagain", expires=timedelta(days=30))
    bench.route()
    again = bench.store.subscriptions.get(CLUB, subscription.id)
    assert again is not None
    assert again.enabled


def test_one_notice_is_enough_however_many_attempts_came_to_the_same_end(
    bench: Bench, endpoint: Endpoint
) -> None:
    gone = bench.subscribe(target=f"{endpoint.url}/gone")
    chat = bench.subscribe("slack", f"{endpoint.url}/chat", categories=("hydration",))
    both = threading.Barrier(2, timeout=20)

    def answer(handler: Any) -> None:
        both.wait()  # two requests are under way when the first 410 arrives
        handler.send_response(410)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    endpoint.answers = [answer, answer]
    for number in range(2):
        bench.advise(anchor=f"gym\x1f{number}")
    draining = [threading.Thread(target=bench.shell.deliver, args=([(CLUB, gone.id)],)) for _ in range(2)]
    routing = threading.Thread(target=bench.shell.route, args=([(CLUB, "ada")],))
    routing.start()
    for each in draining:
        while not bench.deliveries(gone):
            time.sleep(0.01)
        each.start()
    for each in (routing, *draining):
        each.join()
    bench.drain()
    assert [each.kind for each in bench.deliveries(chat)] == ["notice"]


def test_a_withdrawal_is_told_even_after_the_advice_would_have_expired(
    bench: Bench, endpoint: Endpoint
) -> None:
    bench.subscribe(target=endpoint.url)
    bench.advise(expires=timedelta(minutes=10))
    bench.route()
    endpoint.answers = [503, 503]
    bench.advise("advice.withdrawn", revision=1, expires=timedelta(minutes=10))
    bench.route()
    bench.at(seconds=6)
    bench.at(hours=1)
    assert types(endpoint)[-1] == "advice.withdrawn"
    assert len(endpoint.requests) == 4


def test_a_digest_goes_on_without_what_has_expired(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [503, 503]
    subscription = bench.subscribe("slack", endpoint.url, schedule=Schedule("hourly"))
    bench.advise(title="Soon over", expires=timedelta(minutes=61))
    bench.advise(anchor="gym\x1f2", title="Lasting")
    bench.route()
    bench.at(hours=1)
    bench.at(seconds=6)
    bench.at(minutes=6)
    last = endpoint.requests[-1].body.decode()
    assert len(endpoint.requests) == 3
    assert "Lasting" in last
    assert "Soon over" not in last
    assert bench.only(subscription).state == "delivered"


def test_a_fault_of_ours_in_one_message_does_not_count_against_the_endpoint(
    bench: Bench, endpoint: Endpoint
) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    bench.store.subscriptions.put(replace(subscription, secrets=(Secret("whsec_not base 64!"),)))
    bench.advise()
    bench.route()
    assert (bench.only(subscription).state, bench.only(subscription).reason) == ("failed", "message_not_made")
    assert bench.store.deliveries.health(CLUB, subscription.id).failing_since is None


def test_an_endpoint_gets_four_requests_at_once_and_one_after_a_timeout(
    bench: Bench, endpoint: Endpoint
) -> None:
    answered = threading.Event()

    def wait(handler: Any) -> None:
        answered.wait(20)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    subscription = bench.subscribe(target=endpoint.url)
    for number in range(6):
        bench.advise(anchor=f"gym\x1f{number}")
    endpoint.answers = [wait] * 6
    threads = [threading.Thread(target=bench.shell.route, args=([(CLUB, "ada")],)) for _ in range(6)]
    for thread in threads:
        thread.start()
    while sum(thread.is_alive() for thread in threads) > AT_ONCE:
        time.sleep(0.01)  # the fifth and sixth find nothing that they may send
    assert len(endpoint.requests) <= AT_ONCE
    answered.set()
    for thread in threads:
        thread.join()
    assert len(endpoint.requests) == 6

    hasty = WebhookSender(Poster(bench.settings.webhook_allow_networks, whole_s=0.2), "https://tandem.test")
    shell = replace(bench.shell, senders={"webhook": hasty})
    endpoint.answers = [hang(1)]
    bench.advise(anchor="gym\x1flate")
    shell.route([(CLUB, "ada")])
    health = bench.store.deliveries.health(CLUB, subscription.id)
    assert health.slow
    for number in range(2):
        bench.advise(anchor=f"gym\x1fthen{number}")
    answered.clear()
    endpoint.answers = [wait]
    first = threading.Thread(target=bench.shell.route, args=([(CLUB, "ada")],))
    first.start()
    while len(endpoint.requests) < 8:
        time.sleep(0.01)
    bench.drain()  # finds the one place taken
    assert len(endpoint.requests) == 8
    answered.set()
    first.join()
    assert len(endpoint.requests) == 9
    assert not bench.store.deliveries.health(CLUB, subscription.id).slow


def test_one_advice_is_routed_and_told_in_five_trips_to_the_store(bench: Bench, endpoint: Endpoint) -> None:
    def trips() -> int:
        return int(bench.store.client.info("stats")["total_reads_processed"])

    bench.subscribe(target=endpoint.url)
    bench.advise()
    before = trips()
    bench.shell.route([(CLUB, "ada")])
    # Outbox and subscriptions; advice; lanes and claim; outbox, subscription and advice; end of the claim and counts.
    assert trips() - before - 1 == 5
    assert len(endpoint.requests) == 1


def test_what_a_quick_endpoint_takes_together_arrives_once_each_and_in_order(
    bench: Bench, endpoint: Endpoint
) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    for number in range(60):
        bench.advise(anchor=f"gym\x1f{number}")
        bench.clock.instant += timedelta(milliseconds=1)
        if number % 20 == 19:
            bench.shell.route([(CLUB, "ada")])
    named = [request.headers["webhook-id"] for request in endpoint.requests]
    assert len(named) == len(set(named)) == 60
    assert {each.state for each in bench.deliveries(subscription)} == {"delivered"}


def test_after_a_failure_the_rest_is_given_back_and_tried_by_itself(bench: Bench, endpoint: Endpoint) -> None:
    endpoint.answers = [*[200] * 10, 503, *[200] * 100]
    subscription = bench.subscribe(target=endpoint.url)
    for number in range(40):
        bench.advise(anchor=f"gym\x1f{number}")
    bench.route()
    assert len(endpoint.requests) == 40
    states = [each.state for each in bench.deliveries(subscription)]
    assert (states.count("delivered"), states.count("pending")) == (39, 1)
    assert {len(each.attempts) for each in bench.deliveries(subscription)} == {1}


def test_an_endpoint_that_is_gone_gets_nothing_more_of_what_was_claimed_together(
    bench: Bench, endpoint: Endpoint
) -> None:
    endpoint.answers = [*[200] * 10, 410]
    subscription = bench.subscribe(target=endpoint.url)
    for number in range(40):
        bench.advise(anchor=f"gym\x1f{number}")
    bench.route()
    assert len(endpoint.requests) == 11
    reasons = [each.reason for each in bench.deliveries(subscription)]
    assert (reasons.count("delivered"), reasons.count("subscription_disabled")) == (10, 29)


def test_a_record_that_cannot_be_read_holds_up_no_other(bench: Bench, endpoint: Endpoint) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    names = [bench.advise(anchor=f"gym\x1f{number}").advice.id for number in range(41)]
    place = AthleteKeys(CLUB, "ada").advice

    def spoil(handler: Any) -> None:
        told = endpoint.requests[-1].body.decode()
        broken = next(name for name in names[20:] if name not in told)  # any may be the first to be told
        bench.store.client.hset(place, broken, "{}")
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    endpoint.answers = [spoil]
    bench.route()
    for _ in range(3):
        bench.drain()
    states = [each.state for each in bench.deliveries(subscription)]
    assert (states.count("delivered"), states.count("pending")) == (40, 1)


def test_of_what_was_claimed_together_nothing_begins_long_after_it_was_looked_at(
    bench: Bench, endpoint: Endpoint
) -> None:
    subscription = bench.subscribe(target=endpoint.url)
    for number in range(10):
        bench.advise(anchor=f"gym\x1fquick{number}")
    bench.route()
    slow = threading.Event()

    def wait(handler: Any) -> None:
        slow.set()
        time.sleep(0.5)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    records = [bench.advise(anchor=f"gym\x1flate{number}") for number in range(8)]
    endpoint.answers = [wait]
    routing = threading.Thread(target=bench.shell.route, args=([(CLUB, "ada")],))
    routing.start()
    slow.wait(20)
    for number in range(len(records)):
        bench.advise("advice.withdrawn", anchor=f"gym\x1flate{number}", revision=1)
    routing.join()
    bench.drain()
    reasons = [each.reason for each in bench.deliveries(subscription)]
    assert reasons.count("withdrawn_before_sent") == len(records) - 1


def test_several_lanes_get_one_wake_up_each_however_many_athletes_were_routed(
    bench: Bench, endpoint: Endpoint
) -> None:
    made = [bench.subscribe(target=f"{endpoint.url}/{number}") for number in range(3)]
    for number in range(5):
        bench.advise(anchor=f"gym\x1f{number}")
        bench.shell.route([(CLUB, "ada")])
    assert bench.store.client.llen(NOTIFY_QUEUE) == len(made) - 1
    bench.drain()
    assert len(endpoint.requests) == 5 * len(made)


def test_what_comes_while_the_places_of_its_lane_are_held_waits_for_no_tick(
    bench: Bench, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.draining.AT_ONCE", 1)
    told = bench.subscribe(target=f"{endpoint.url}/hook")
    finish_and_claim = Deliveries.finish_and_claim

    def late(*args: Any, **options: Any) -> tuple[tuple[Claim, ...], datetime | None]:
        """Have something come just before the place is free, and after the worker that holds it read its clock."""
        monkeypatch.setattr(Deliveries, "finish_and_claim", finish_and_claim)
        bench.clock.instant += timedelta(milliseconds=1)
        bench.advise(anchor="gym\x1flater")
        bench.shell.route([(CLUB, "ada")])
        return finish_and_claim(*args, **options)

    monkeypatch.setattr(Deliveries, "finish_and_claim", late)
    bench.advise()
    bench.shell.route([(CLUB, "ada")])
    assert [each.state for each in bench.deliveries(told)] == ["delivered", "delivered"]
