"""The e-mail that tells a partner of a referral: that something waits, until when, and the link. Nothing of the person.

Sent by the standard library's SMTP client in a thread: a county sends some dozens a day, for which a dependency would be too much.
The message's id follows from the notice, so that a mail that is sent again after a crash is known by it as the same one.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from services.runtime.settings import Settings

SECONDS: Final = 20.0


def message(*, to: str, sender: str, subject: str, text: str, id: str) -> EmailMessage:
    """A plain text message."""
    made = EmailMessage()
    made["To"], made["From"], made["Subject"] = to, sender, subject
    made["Date"] = formatdate()
    made["Message-ID"] = f"<{id.replace('/', '.')}@{sender.rpartition('@')[2].strip('>')}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    made.set_content(text)
    return made


class NotTaken(Exception):
    """The mail server did not take the message. `code` says at which step; `for_good`: it never will."""

    def __init__(self, code: str, *, for_good: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


async def send(settings: Settings, made: EmailMessage) -> None:
    """Raises `NotTaken`."""
    await asyncio.to_thread(_send, settings, made)


def _send(settings: Settings, made: EmailMessage) -> None:
    host, port = settings.smtp_host or "", settings.smtp_port
    try:
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user is not None and settings.smtp_password is not None:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(made)
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        raise NotTaken("recipient-refused", for_good=all(500 <= code < 600 for code in codes)) from None
    except smtplib.SMTPResponseException as refused:
        raise NotTaken(f"smtp-{refused.smtp_code}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(type(error).__name__.lower()) from None
