"""Team chat shows what people wrote as they wrote it: nobody is called, nothing is linked, nothing is formatted."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notify.channels import registry
from services.notify.channels.chat import why
from services.notify.channels.mattermost import sender as mattermost
from services.notify.channels.message import visible
from services.notify.channels.slack import sender as slack
from shared.contracts.subscriptions import CHANNELS
from tests.notify.conftest import CLUB, Bench, Endpoint
from tests.notify.examples import message, record, said

URL = "https://tandem.test"
HOSTILE = [
    "<!channel> look",
    "<@U123> and <#C123|general>",
    "<https://evil.test|your bank>",
    "@all @channel @here",
    "*bold* _it_ ~gone~ `code` ```block```",
    "[click](https://evil.test) ![x](https://evil.test/x.png)",
    "> quoted\n# heading\n1. list\n| a | b |",
    "https://evil.test www.evil.test evil.test/x mailto:eve@evil.test",
    ":smile: :+1: #tag ~town-square",
    "&lt;!channel&gt; &amp;",
    "\\*not escaped\\*",
    "\u202egnitsixe-non\u2066 x\u200by\ufeff",
]


def texts(found: Any) -> Iterator[tuple[str, str]]:
    """Yield (type, text) of every text object of a Slack message."""
    if isinstance(found, dict):
        if isinstance(found.get("text"), str) and "type" in found:
            yield found["type"], found["text"]
        for value in found.values():
            yield from texts(value)
    elif isinstance(found, list):
        for value in found:
            yield from texts(value)


def rendered(markdown: str) -> str:
    """What a reader sees of text that holds Mattermost's escapes and entities, once nothing in it is markup."""
    plain = re.sub(r"\\([\\`*_{}\[\]()#+\-.!~|])", r"\1", markdown)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(entity, character)
    return plain.replace("\u2060", "")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_slack_gets_peoples_text_as_plain_text_alone(hostile: str) -> None:
    made = slack.body(message(said(name=hostile, title=hostile, message=hostile, sources=(hostile,))), URL)
    marked = [text for kind, text in texts(made) if kind == "mrkdwn"]
    assert marked == [f"<{URL}/v1/advice/adv_1|Details>"]
    assert not re.search(r"[<>]", str(made["text"]))
    assert made["mrkdwn"] is False
    assert visible(hostile) in str(next(texts(made))[1])


@given(st.text(max_size=5000), st.text(max_size=300), st.integers(1, 60))
@example("x" * 5000, "<" * 300, 60)
def test_slack_never_gets_more_than_it_takes(text: str, title: str, items: int) -> None:
    each = said(message=text or "x", title=title or "x", sources=(text,))
    made: Any = slack.body(message(*[each] * items), URL)
    assert len(made["blocks"]) <= 50
    assert len(made["text"]) <= 3000
    for block in made["blocks"]:
        limit = 150 if block["type"] == "header" else 3000
        assert all(len(shown) <= limit for _, shown in texts(block))
        assert len(block.get("elements", [])) <= 10


@pytest.mark.parametrize("hostile", HOSTILE)
def test_mattermost_shows_peoples_text_as_it_is(hostile: str) -> None:
    made: Any = mattermost.body(message(said(name=hostile, title=hostile, message=hostile)), URL)
    (attachment,) = made["attachments"]
    shown = " ".join(visible(line) for line in hostile.splitlines())
    assert rendered(attachment["text"]).startswith(shown + "\n\nWhy: ")
    assert shown in attachment["title"].replace("\u2060", "").replace("> quoted #", "> quoted #")


@given(st.text())
@example("@all")
@example("a:b:c @@here ##x ~~y")
@example("<!channel><https://evil.test|x>")
@example("1. a\n\n    code\n> quote")
def test_nothing_is_left_for_mattermost_to_take_as_markup(text: str) -> None:
    made = mattermost.escaped(text)
    assert not re.search(r"[@#~](?!\u2060)|:(?=[^\s\u2060])", made)  # mentions, tags, channels, emoji, links
    assert not re.search(r"[<>\n]", made)
    without_escapes = re.sub(r"\\[\\`*_{}\[\]()#+\-.!~|]", "", made)
    assert not re.search(r"[\\`*_{}\[\]()#+\-.!~|]", without_escapes)
    assert rendered(made) == " ".join(text.replace("\u2060", "").split())


@given(st.text())
def test_what_is_visible_has_nothing_unseen_but_joiners(text: str) -> None:
    shown = visible(text)
    assert not [each for each in shown if unicodedata.category(each) == "Cf" and each not in "\u200c\u200d"]
    assert "\n" not in shown
    assert visible(shown) == shown


def test_a_name_of_nothing_visible_gives_way_to_the_id() -> None:
    assert said(name="\u200b\u200d \u202e").name == "ada"
    assert said(name=None).name == "ada"
    assert said(name="Zo\u00eb \U0001f469\u200d\U0001f4bb").name == "Zo\u00eb \U0001f469\u200d\U0001f4bb"


def test_a_chat_message_says_who_what_why_and_how_sure(bench: Bench, endpoint: Endpoint) -> None:
    for channel in ("slack", "mattermost"):
        bench.subscribe(channel, f"{endpoint.url}/{channel}")
    bench.athlete(name="Ada")
    bench.advise(severity="warning")
    bench.route()
    for request in endpoint.requests:
        text = request.body.decode()
        for part in (
            "🟠 Ada: Eat back what the run took",
            "Eat 300 kcal",
            "missing 300 kcal",
            "moderate",
            "ACSM",
        ):
            assert part in rendered(text.replace("\\\\", "\\")), part
        assert "https://tandem.test/v1/advice/adv_" in text
    bench.advise("advice.withdrawn", revision=1)
    bench.route()
    for request in endpoint.requests[2:]:
        assert "⚪ Ada: withdrawn: Eat back what the run took" in request.body.decode()
        assert "300 kcal" not in request.body.decode()


@pytest.mark.parametrize(
    ("channel", "status", "answer"),
    [
        ("slack", 404, "no_service"),
        ("slack", 410, "channel_is_archived"),
        ("slack", 403, "action_prohibited"),
    ],
)
def test_a_hook_that_is_gone_is_not_tried_again(
    bench: Bench, endpoint: Endpoint, channel: Any, status: int, answer: str
) -> None:
    endpoint.answers = [(status, answer)]
    subscription = bench.subscribe(channel, endpoint.url)
    bench.advise()
    bench.route()
    assert bench.only(subscription).reason == answer
    known = bench.store.subscriptions.get(CLUB, subscription.id)
    assert known is not None
    assert not known.enabled
    assert answer in str(known.disabled_reason)


def test_a_hook_that_is_gone_by_mattermosts_own_answer(bench: Bench, endpoint: Endpoint) -> None:
    answer = {
        "id": "web.incoming_webhook.invalid.app_error",
        "message": "Invalid webhook",
        "status_code": 400,
    }
    endpoint.answers = [(400, json.dumps(answer))]
    subscription = bench.subscribe("mattermost", endpoint.url)
    bench.advise()
    bench.route()
    known = bench.store.subscriptions.get(CLUB, subscription.id)
    assert known is not None
    assert not known.enabled


def test_the_channels_are_the_folders(bench: Bench) -> None:
    assert set(registry.senders(bench.settings, bench.store)) == set(CHANNELS)


def test_why_reads_as_words_with_units_and_keeps_the_profile_out() -> None:
    facts: dict[str, Any] = {
        "athlete.body_mass_kg": 80.0, "params.min_gap_h": 6.0, "lift": {"found": True}, "fresh": True, "gap_h": 2.0,
        "missing_kcal": 301.6, "anchor.duration_s": 2700.0, "day.protein_g": 71.25, "runs": 3.0,
    }  # fmt: skip
    because = replace(record().advice.because, facts=facts)
    told = "gap 2 h, missing 302 kcal, duration 45 min, day protein 71.2 g"
    assert why(said(because=because)) == told
