"""A local mail catcher: a real SMTP server that keeps what it is given instead of passing it on."""

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.embedded import free_port


@dataclass(slots=True)
class MailCatcher:
    """Catches mail on `host` and `port` (0: any free one) once started; `caught` grows as it comes in."""

    host: str = "127.0.0.1"
    port: int = 0
    on_mail: Callable[[EmailMessage], None] = lambda _: None
    caught: list[EmailMessage] = field(default_factory=list)
    _controller: Controller | None = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
        self.caught.append(message)
        self.on_mail(message)
        return "250 caught"

    def start(self) -> None:
        """Listen. `port` is the real one from here on."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # else a line for each line of SMTP
        # The controller greets its own server at the port it was given, so it must be a real one.
        self.port = self.port or free_port()
        self._controller = Controller(self, hostname=self.host, port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._controller is not None:
            self._controller.stop()


def run(host: str, port: int, say: Callable[[str], None]) -> None:
    """Catch and print mail until told to stop."""

    def show(message: EmailMessage) -> None:
        body = message.get_body(("plain",))
        say(f"\nTo: {message['To']}\nSubject: {message['Subject']}\nMessage-ID: {message['Message-ID']}\n")
        say(str(body.get_content()) if body is not None else "(no text part)")

    catcher = MailCatcher(host, port, show)
    catcher.start()
    say(f"catching mail on smtp://{host}:{catcher.port}")
    asyncio.run(_until_stopped())
    catcher.stop()


async def _until_stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
