"""E-mail: one message in text and HTML, under a stable Message-ID, with a one-click unsubscribe (RFC 8058)."""

import contextlib
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
from services.notify.channels.means import Means
from services.notify.channels.message import Message, Said, Sent, TransportError, visible
from shared.contracts.subscription_schema import ATHLETES_OWN

TIMEOUT_S = 15
_MOST_SUBJECT = 150
_FINAL = 500  # RFC 5321: 4yz means later, 5yz means never

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
        with contextlib.ExitStack() as closing:
            server = self._connected(closing)
            _hand_over(server, mail, one_of_many=message.subscription.target == ATHLETES_OWN)
            # The server has taken the mail; whatever it says to a goodbye, sending again would be a repeat.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
        return Sent(250)

    def compose(self, message: Message) -> EmailMessage:
        """Return the mail."""
        mail = EmailMessage()
        mail["From"] = self.mail_from
        mail["To"] = Address(addr_spec=message.to)
        mail["Subject"] = clipped(visible(_subject(message)), _MOST_SUBJECT)
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
            "notice": message.notice,
            "own": message.subscription.target == ATHLETES_OWN,
            "unsubscribe": unsubscribe,
            "public_url": self.public_url,
        }
        mail.set_content(_templates.get_template("body.txt").render(context))
        mail.add_alternative(_templates.get_template("body.html").render(context), subtype="html")
        return mail

    def _connected(self, closing: contextlib.ExitStack) -> smtplib.SMTP:
        """Return a session with the mail server. What goes wrong here is the operator's to mend: all is tried again."""
        try:
            return self._session(closing)
        except TimeoutError:
            raise TransportError("timeout", detail=f"no answer within {TIMEOUT_S} s") from None
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error, final=False) from None
        except (OSError, smtplib.SMTPException) as error:
            raise TransportError("connection_failed", detail=str(error)[:200]) from None

    def _session(self, closing: contextlib.ExitStack) -> smtplib.SMTP:
        parts = urlsplit(self.smtp_url)
        host = parts.hostname or "localhost"
        server: smtplib.SMTP
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_S, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_S)
        closing.callback(server.close)
        wanted = parse_qs(parts.query).get("starttls", ["false"])[0].lower()
        if parts.scheme == "smtp" and wanted in {"true", "1", "yes"}:
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        return server


def make(means: Means) -> EmailSender | None:
    """Return the channel's sender, or None without a mail server."""
    settings = means.settings
    if settings.smtp_url is None or settings.mail_from is None:
        return None
    return EmailSender(settings.smtp_url, settings.mail_from, settings.public_url, means.token)


def _hand_over(server: smtplib.SMTP, mail: EmailMessage, *, one_of_many: bool) -> None:
    try:
        server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        # Of many athletes' addresses, one that is refused says nothing about the mail server.
        code, told = next(iter(error.recipients.values()))
        raise _refused(code, told, final=code >= _FINAL, endpoint_fails=not one_of_many) from None
    except smtplib.SMTPSenderRefused as error:
        raise _refused(
            error.smtp_code, error.smtp_error, final=False
        ) from None  # TANDEM_MAIL_FROM: to be mended
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error, final=error.smtp_code >= _FINAL) from None
    except smtplib.SMTPNotSupportedError as error:
        raise TransportError("not_supported", permanent=True, detail=str(error)[:200]) from None
    except TimeoutError:
        raise TransportError("timeout", detail=f"no answer within {TIMEOUT_S} s", uncertain=True) from None
    except (OSError, smtplib.SMTPException) as error:
        raise TransportError("connection_lost", detail=str(error)[:200], uncertain=True) from None


def _subject(message: Message) -> str:
    if not message.said:
        return "A notice from Tandem" if message.kind == "notice" else "Tandem can send mail here"
    first = message.said[0]
    title = first.title
    subject = f"No longer applies: {title}" if first.type == "advice.withdrawn" else title
    if message.subscription.target != ATHLETES_OWN:
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
        "title": said.title,
        "message": said.text,
        "why": why(said),
        "evidence": advice.evidence,
        "sources": list(advice.sources),
    }


def _refused(code: int, told: bytes | str, *, final: bool, endpoint_fails: bool = True) -> TransportError:
    detail = told.decode(errors="replace") if isinstance(told, bytes) else told
    return TransportError(
        f"smtp_{code}", permanent=final, status=code, detail=detail[:200], endpoint_fails=endpoint_fails
    )
