"""Mail is safe to send and good to read, and what the mail server says is understood."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.embedded import free_port
from deploy.mailcatcher import MailCatcher
from services.notify.channels.email.sender import EmailSender
from services.notify.channels.message import TransportError
from shared.contracts.subscriptions import Delivery
from shared.unsubscribe import read_token
from tests.notify.conftest import CLUB, Bench, Endpoint
from tests.notify.examples import message, said
from tests.notify.test_http import TLS

SENDER = EmailSender(
    "smtp://127.0.0.1:1", "Tandem <coach@tandem.test>", "https://tandem.test", lambda *_: "token"
)


def mail_of(*items: Any, target: str = "athlete", **options: Any) -> EmailMessage:
    made = message(*items, channel="email", target=target, **options)
    return SENDER.compose(replace(made, to="ada@example.org"))


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_mail_says_what_why_how_sure_and_how_to_end_it() -> None:
    mail = mail_of(said())
    assert mail["Subject"] == "Eat back what the run took"
    for text in (part(mail, "plain"), part(mail, "html")):
        for told in (
            "About 300 kcal are missing",
            "missing 300 kcal",
            "moderate",
            "ACSM",
            "https://tandem.test/unsubscribe/token",
        ):
            assert told in text


def test_a_coach_reads_whom_it_is_about_and_an_athlete_need_not() -> None:
    assert mail_of(said(), target="coach@club.test")["Subject"] == "Ada: Eat back what the run took"
    assert "Ada" not in part(mail_of(said()), "plain")


def test_a_withdrawal_is_a_short_correction() -> None:
    mail = mail_of(said("advice.withdrawn"))
    assert mail["Subject"] == "No longer applies: Eat back what the run took"
    assert "300" not in part(mail, "plain")
    assert "disregard" in part(mail, "html")


@given(st.text(max_size=300), st.text(max_size=80))
@example("Eat\r\nBcc: eve@example.org", "Ada\r\n\r\n<script>")
@example("\x00\x1b[2J", "=?utf-8?q?x?=")
def test_no_text_can_make_a_header_or_markup(title: str, name: str) -> None:
    mail = mail_of(said(name=name, title=title, message=title), target="coach@club.test")
    raw = mail.as_bytes()
    head = raw.partition(b"\n\n")[0]
    names = [line.partition(b":")[0] for line in head.splitlines() if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == sorted(
        [
            b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"List-Unsubscribe",
            b"List-Unsubscribe-Post", b"MIME-Version", b"Content-Type",
        ]
    )  # fmt: skip
    assert "<script" not in part(mail, "html")


def test_the_unsubscribe_link_names_this_athlete_and_cannot_be_forged(
    bench: Bench, mail: MailCatcher
) -> None:
    bench.subscribe("email", "athlete")
    bench.athlete(email="ada@example.org", email_consent=True)
    bench.advise()
    bench.route()
    token = str(mail.caught[0]["List-Unsubscribe"]).rpartition("/")[2].rstrip(">")
    key = bench.store.signing_key()
    assert read_token(key, token) == (CLUB, "ada")
    assert read_token(b"another key", token) is None
    assert read_token(key, token[:-2] + ("AA" if token[-2:] != "AA" else "BB")) is None
    assert read_token(key, "nonsense") is None


def test_a_test_goes_to_a_fixed_address_and_has_nowhere_to_go_among_athletes(
    bench: Bench, mail: MailCatcher
) -> None:
    for target in ("coach@club.test", "athlete"):
        subscription = bench.subscribe("email", target)
        now = bench.clock.instant
        bench.store.deliveries.enqueue(
            Delivery(f"dlv_00{target[:4]}", subscription.id, CLUB, "test", (), now, now)
        )
        bench.drain()
        reason = bench.only(subscription).reason
        assert reason == ("delivered" if "@" in target else "no_one_address")
    assert [str(each["To"]) for each in mail.caught] == ["coach@club.test"]


def test_a_club_is_told_by_mail_that_an_endpoint_is_gone(
    bench: Bench, endpoint: Endpoint, mail: MailCatcher
) -> None:
    endpoint.answers = [410]
    bench.subscribe(target=endpoint.url, description="the old system")
    bench.subscribe("email", "coach@club.test", categories=("hydration",))
    bench.subscribe("email", "athlete", categories=("hydration",))
    bench.athlete(email="ada@example.org", email_consent=True)
    bench.advise()
    bench.route()
    bench.drain()
    (told,) = mail.caught
    assert told["To"] == "coach@club.test"
    assert "the old system" in part(told, "plain")


@pytest.fixture
def smtp(bench: Bench) -> Iterator[Callable[..., EmailSender]]:
    """Start a mail server with hooks of aiosmtpd; return a sender for it."""
    started = []

    def start(query: str = "", user: str = "", **hooks: Any) -> EmailSender:
        options = {key: hooks.pop(key) for key in list(hooks) if not key.startswith("handle_")}
        handler = type("Hooks", (), {name: staticmethod(hook) for name, hook in hooks.items()})()
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **options)
        controller.start()
        started.append(controller)
        url = f"smtp://{user}127.0.0.1:{controller.port}{query}"
        sender = replace(SENDER, smtp_url=url)
        object.__setattr__(bench.shell, "senders", {**bench.shell.senders, "email": sender})
        return sender

    yield start
    for controller in started:
        controller.stop()


def answering(code: str) -> Callable[..., Any]:
    async def answer(*_: Any) -> str:
        return code

    return answer


def refusal(sender: EmailSender) -> TransportError:
    with pytest.raises(TransportError) as caught:
        sender.send(replace(message(said(), channel="email", target="athlete"), to="ada@example.org"))
    return caught.value


@pytest.mark.parametrize(
    ("hook", "code", "permanent", "endpoint_fails"),
    [
        ("handle_RCPT", "550 no such mailbox", True, False),
        ("handle_RCPT", "450 greylisted", False, False),
        ("handle_DATA", "554 looks like spam", True, True),
        ("handle_DATA", "451 try later", False, True),
        ("handle_MAIL", "550 sender not allowed", False, True),
    ],
)
def test_later_is_told_from_never_and_one_mailbox_from_the_server(
    smtp: Callable[..., EmailSender],
    hook: str,
    code: str,
    permanent: bool,  # noqa: FBT001 - a parameter of the table
    endpoint_fails: bool,  # noqa: FBT001 - the same
) -> None:
    error = refusal(smtp(**{hook: answering(code)}))
    assert error.reason == f"smtp_{code[:3]}"
    assert (error.permanent, error.endpoint_fails) == (permanent, endpoint_fails)


def test_a_dead_mailbox_does_not_end_everyones_mail(bench: Bench, smtp: Callable[..., EmailSender]) -> None:
    smtp(handle_RCPT=answering("550 no such mailbox"))
    subscription = bench.subscribe("email", "athlete")
    bench.athlete(email="ada@example.org", email_consent=True)
    for day in range(8):
        bench.advise(anchor=f"gym\x1f{day}", expires=timedelta(days=30))
        bench.route()
        bench.at(days=1)
    known = bench.store.subscriptions.get(CLUB, subscription.id)
    assert known is not None
    assert known.enabled
    assert {each.reason for each in bench.deliveries(subscription)} == {"smtp_550"}


def test_mail_that_was_taken_is_not_sent_again_for_a_bad_goodbye(smtp: Callable[..., EmailSender]) -> None:
    caught = []

    async def take(_server: Any, _session: Any, envelope: Any) -> str:
        caught.append(envelope)
        return "250 taken"

    sender = smtp(handle_DATA=take, handle_QUIT=answering("421 too busy for that"))
    assert sender.send(replace(message(said(), channel="email"), to="ada@example.org")).status == 250
    assert len(caught) == 1


def test_a_server_that_is_not_there_is_tried_again() -> None:
    error = refusal(replace(SENDER, smtp_url=f"smtp://127.0.0.1:{free_port()}"))
    assert (error.reason, error.permanent, error.uncertain) == ("connection_failed", False, False)


def test_login_is_made_over_starttls_and_a_wrong_password_is_tried_again(
    smtp: Callable[..., EmailSender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "hook.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "hook.pem", TLS / "hook.key")
    users = []

    def check(_server: SMTP, _session: Any, _envelope: Any, _how: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        users.append(given.login)
        return AuthResult(success=given.password == b"p@ss", handled=False)

    options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": check,
        "auth_required": True,
    }
    right = smtp("?starttls=true", "ada:p%40ss@", handle_DATA=answering("250 taken"), **options)
    right = replace(right, smtp_url=right.smtp_url.replace("127.0.0.1", "localhost"))
    assert right.send(replace(message(said(), channel="email"), to="ada@example.org")).status == 250
    assert users == [b"ada"]
    wrong = replace(right, smtp_url=right.smtp_url.replace("p%40ss", "guess"))
    assert (refusal(wrong).reason, refusal(wrong).permanent) == ("smtp_535", False)
    unsure = replace(
        right, smtp_url=right.smtp_url.replace("localhost", "127.0.0.1")
    )  # not the certificate's name
    assert (refusal(unsure).reason, refusal(unsure).permanent) == ("connection_failed", False)
