"""Mail and webhook: the only files of the alarms that talk to the network."""

import ssl
from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from core.errors import MailFailed, WebhookFailed
from core.settings import Mail, Tls, Webhook

TIMEOUT = 20.0
"""Seconds for one step of a delivery."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was told, and who was refused by the other side, with its words."""

    told: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()


async def send_mail(settings: Mail, message: EmailMessage) -> Outcome:
    """One mail to all. Raises MailFailed when nobody got it."""
    context = ssl.create_default_context() if settings.tls is not Tls.NONE else None
    if context is not None and not settings.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        refused, _ = await aiosmtplib.send(
            message, sender=settings.sender, recipients=list(settings.to), hostname=settings.host,
            port=settings.port_in_force, username=settings.user or None, password=settings.password or None,
            use_tls=settings.tls is Tls.TLS, start_tls=settings.tls is Tls.STARTTLS, tls_context=context,
            timeout=TIMEOUT,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        said = "; ".join(f"{one.recipient}: {one.code} {one.message}" for one in error.recipients)
        raise _mail_failed(settings, said) from error
    except aiosmtplib.SMTPResponseException as error:
        raise _mail_failed(settings, f"{error.code} {error.message}") from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _mail_failed(settings, str(error) or type(error).__name__) from error
    why = tuple((who, f"{answer.code} {answer.message}") for who, answer in refused.items())
    return Outcome(tuple(who for who in settings.to if who not in refused), why)


def _mail_failed(settings: Mail, why: str) -> MailFailed:
    where = f"{settings.host}:{settings.port_in_force}"
    hint = "Check [mail] in the settings, then: rackeye alarm mail-test"
    return MailFailed(f"{where} did not take the mail: {why.rstrip('.')}.", hint=hint)


async def send_webhook(settings: Webhook, body: bytes) -> Outcome:
    """One POST. Raises WebhookFailed when it is not answered with 2xx."""
    import httpx  # noqa: PLC0415 -- 15 MiB that only a box with a webhook needs

    headers = {"Content-Type": "application/json", "User-Agent": "rackeye"}
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    hint = "Check [webhook] in the settings."
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=settings.verify) as client:
            answer = await client.post(settings.url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise WebhookFailed(f"{settings.url} cannot be reached: {error or type(error).__name__}.", hint=hint) from error
    if not answer.is_success:
        raise WebhookFailed(f"{settings.url} answered {answer.status_code} {answer.reason_phrase}.", hint=hint)
    return Outcome((settings.url,))
