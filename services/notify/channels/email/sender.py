"""E-mail: one message in text and HTML, under a stable Message-ID, with a one-click unsubscribe (RFC 8058)."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit

import jinja2

from services.notify.channels.chat import clipped, why
from services.notify.channels.message import Message, Said, Sent, TransportError

TIMEOUT_S = 15
_MOST_SUBJECT = 150
_TRY_AGAIN = 400, 499  # SMTP's own words for "later"

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("services.notify.channels.email"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class EmailSender:
    """Sends by `smtp_url` (`smtp://user:pass@host:587?starttls=true`, or `smtps://`) from `mail_from`.

    `token` gives the unsubscribe token of a (club, athlete).
    """

    smtp_url: str
    mail_from: str
    public_url: str
    token: Callable[[str, str], str]

    def send(self, message: Message) -> Sent:
        """Hand one mail to the server."""
        mail = self.compose(message)
        try:
            with self._connect() as server:
                refused = server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, told = next(iter(error.recipients.values()))
            raise _refused(code, told) from None
        except smtplib.SMTPServerDisconnected as error:
            raise TransportError("connection_lost", detail=str(error)[:200], uncertain=True) from None
        except TimeoutError:
            raise TransportError(
                "timeout", detail=f"no answer within {TIMEOUT_S} s", uncertain=True
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise TransportError("connection_failed", detail=str(error)[:200]) from None
        return Sent(250, f"{len(refused)} refused" if refused else "")

    def compose(self, message: Message) -> EmailMessage:
        """Return the mail."""
        mail = EmailMessage()
        mail["From"] = self.mail_from
        mail["To"] = Address(addr_spec=message.to)
        mail["Subject"] = clipped(_line(_subject(message)), _MOST_SUBJECT)
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.id}@{self.mail_from.rpartition('@')[2].strip('<> ')}>"
        mail["Auto-Submitted"] = "auto-generated"
        unsubscribe = ""
        if message.said:
            athlete = message.said[0].athlete
            unsubscribe = f"{self.public_url}/unsubscribe/{self.token(athlete.club, athlete.id)}"
            mail["List-Unsubscribe"] = f"<{unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        context = {
            "said": [_shown(each) for each in message.said],
            "own": message.subscription.target == "athlete",
            "unsubscribe": unsubscribe,
            "public_url": self.public_url,
        }
        mail.set_content(_templates.get_template("body.txt").render(context))
        mail.add_alternative(_templates.get_template("body.html").render(context), subtype="html")
        return mail

    def _connect(self) -> smtplib.SMTP:
        parts = urlsplit(self.smtp_url)
        host = parts.hostname or "localhost"
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
            if parse_qs(parts.query).get("starttls", ["false"])[0].lower() in {"true", "1", "yes"}:
                server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


def _subject(message: Message) -> str:
    if not message.said:
        return "Tandem can send mail here"
    first = message.said[0]
    title = first.record.advice.title
    subject = f"No longer applies: {title}" if first.type == "advice.withdrawn" else title
    if message.subscription.target != "athlete":
        subject = f"{first.name}: {subject}"
    more = len(message.said) - 1
    return f"{subject} (and {more} more)" if more else subject


def _shown(said: Said) -> dict[str, object]:
    advice = said.record.advice
    return {
        "name": said.name,
        "withdrawn": said.type == "advice.withdrawn",
        "updated": said.type == "advice.updated",
        "severity": advice.severity,
        "title": advice.title,
        "message": advice.message,
        "why": why(said),
        "evidence": advice.evidence,
        "sources": list(advice.sources),
    }


def _line(text: str) -> str:
    """Return `text` on one line: a header must not be able to start another."""
    return " ".join(text.split())


def _refused(code: int, told: bytes | str) -> TransportError:
    low, high = _TRY_AGAIN
    detail = told.decode(errors="replace") if isinstance(told, bytes) else told
    return TransportError(f"smtp_{code}", permanent=not low <= code <= high, status=code, detail=detail[:200])
