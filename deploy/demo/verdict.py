"""Whether the demo went as it should: the counts, and everything that is not right, in words."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from deploy.demo.diary import DAYS, Diary, Expected
from deploy.demo.receiver import Received, Receiver
from deploy.demo.show import Stage, table
from deploy.mailcatcher import MailCatcher


def verdict(
    diary: Diary,
    advice: dict[str, list[dict[str, Any]]],
    receiver: Receiver,
    mail: MailCatcher,
    stage: Stage,
    console: Console,
) -> list[str]:
    """Print the counts, and return what is not as it should be."""
    webhooks = [each for each in receiver.received if each.path == "/webhook"]
    chats = Counter(each.path.strip("/") for each in receiver.received if each.path != "/webhook")
    rules = sorted({item["rule"] for items in advice.values() for item in items})
    told = Counter((arrival.rule, arrival.type) for arrival in stage.arrivals)
    rows = [
        (
            rule,
            str(sum(item["rule"] == rule for items in advice.values() for item in items)),
            *(str(told[rule, f"advice.{kind}"]) for kind in ("issued", "updated", "withdrawn")),
        )
        for rule in rules
    ]
    console.print(table("Advice", ("rule", "issued", "told", "told of a change", "told of withdrawal"), rows))
    by_channel = [
        ("webhook, signed", str(len(webhooks))),
        *((name, str(n)) for name, n in sorted(chats.items())),
    ]
    console.print(table("Arrived", ("channel", "messages"), [*by_channel, ("e-mail", str(len(mail.caught)))]))
    return [
        *(
            _unmet(expected, advice, diary)
            for expected in diary.expectations()
            if not _met(expected, advice, diary)
        ),
        *_bad_webhooks(webhooks, advice),
        *_bad_mail(mail.caught, diary),
        *([] if chats["slack"] and chats["mattermost"] else ["team chat heard nothing"]),
    ]


def _met(expected: Expected, advice: dict[str, list[dict[str, Any]]], diary: Diary) -> bool:
    zone = {person.id: ZoneInfo(person.timezone) for person in diary.people()}[expected.athlete]
    moment = "changed_at" if expected.what == "withdrawn" else "issued_at"
    found = any(
        item["rule"] == expected.rule
        and (expected.what == "issued" or item["state"] == "withdrawn")
        and expected.first <= datetime.fromisoformat(item[moment]).astimezone(zone).date() <= expected.last
        for item in advice[expected.athlete]
    )
    return found is expected.wanted


def _unmet(expected: Expected, advice: dict[str, list[dict[str, Any]]], diary: Diary) -> str:
    wanted = "should" if expected.wanted else "should not"
    first, last = ((day - diary.end.date()).days + DAYS + 1 for day in (expected.first, expected.last))
    had = Counter(item["state"] for item in advice[expected.athlete] if item["rule"] == expected.rule)
    return (
        f"{expected.rule} {wanted} have been {expected.what} for {expected.athlete} between day {first} and {last}; "
        f"over all days there were {dict(had) or 'none'}"
    )


def _bad_webhooks(webhooks: list[Received], advice: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Every webhook verifies, none comes twice, and whoever was told of advice that was withdrawn was told of that."""
    unverified = sum(each.verified is not True for each in webhooks)
    if unverified:
        yield f"{unverified} webhooks did not verify"
    repeated = sum(count - 1 for count in Counter(each.id for each in webhooks).values())
    if repeated:
        yield f"{repeated} webhooks came again, though nothing crashed"
    last = {each.body["data"]["advice_id"]: each.body["type"] for each in webhooks if "data" in each.body}
    for items in advice.values():
        for item in items:
            known = last.get(item["advice_id"])
            if item["state"] == "withdrawn" and known not in {None, "advice.withdrawn"}:
                yield f"nobody was told that {item['rule']} for {item['athlete_id']} was withdrawn"
            if item["state"] in {"active", "expired"} and known is None:
                yield f"{item['rule']} for {item['athlete_id']} ({item['advice_id']}) never arrived"


def _bad_mail(caught: list[EmailMessage], diary: Diary) -> Iterator[str]:
    consenting = {
        posting.body["email"]
        for posting in diary.postings()
        if posting.kind == "profile" and posting.body.get("email_consent")
    }
    for message in caught:
        if str(message["To"]) not in consenting:
            yield f"mail went to {message['To']}, who did not agree to it"
    if not caught:
        yield "no mail arrived"
    ids = Counter(str(message["Message-ID"]) for message in caught)
    for name, count in ids.items():
        if count > 1:
            yield f"the mail {name} came {count} times, though nothing crashed"
