"""Deliveries to a real SMTP server (aiosmtpd) and a real HTTP server on loopback; time goes on by hand."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from core.clock import ManualClock
from core.errors import MailFailed, NoMail, WebhookFailed
from core.run import run
from core.settings import Mail, Settings, Tls, Webhook
from nvr.alarms.channels import send_mail, send_webhook
from nvr.alarms.courier import Courier, set_up, views
from nvr.alarms.letters import test_mail as letter_of_test
from nvr.alarms.model import Alarm, Event
from nvr.alarms.outbox import BACK_OFF, GROUP, SETTLE, notice, posted
from nvr.policy.decide import Memory
from tests.unit.nvr.alarms.samples import alarm


class Inbox:
    """A mail server's handler: what came, and whom it refuses."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.refuse: set[str] = set()
        self.down = False

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        if address in self.refuse:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        if self.down:
            return "451 try later"
        self.letters.append(envelope)
        return "250 taken"


@dataclass(slots=True)
class Hook:
    """An HTTP server: requests that came, and what it answers."""

    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    status: str = "204 No Content"
    hang: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        if self.hang:
            await asyncio.Event().wait()
        self.requests.append((head[0], headers, json.loads(body)))
        writer.write(f"HTTP/1.1 {self.status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


def login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    return AuthResult(success=(data.login, data.password) == (b"nvr", b"secret"), handled=False)


@dataclass(slots=True)
class Office:
    """Servers, a courier and the memory it works on."""

    inbox: Inbox
    hook: Hook
    settings: Settings
    clock: ManualClock
    memory: Memory = Memory()
    saved: list[bytes] = field(default_factory=list)

    async def change(self, alter: Callable[[Memory], Memory]) -> None:
        self.memory = alter(self.memory)
        self.saved.append(msgspec.json.encode(self.memory))

    def raise_(self, *alarms: Alarm) -> None:
        channels = set_up(self.settings)
        notices = tuple(notice(one, Event.RAISED, self.clock.now()) for one in alarms)
        self.memory = replace(
            self.memory, open=(*self.memory.open, *alarms), outbox=posted(self.memory.outbox, notices, channels)
        )

    def courier(self) -> Courier[Memory]:
        return Courier(lambda: self.settings, lambda: self.memory, self.change, self.clock, host="rack7")


async def until(holds: Callable[[], bool]) -> None:
    """Lets the loop go on until it is so."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 -- what is waited for happens in two other programs' code
            await asyncio.sleep(0.002)


def play(scene: Callable[[Office], Awaitable[None]], *, webhook: bool = True, mail: bool = True) -> Office:
    async def whole() -> Office:
        loop, inbox, hook = asyncio.get_running_loop(), Inbox(), Hook()
        smtp = await loop.create_server(
            lambda: SMTP(
                inbox, hostname="mx", authenticator=login, auth_required=True, auth_require_tls=False, loop=loop
            ), "127.0.0.1", 0,
        )
        http = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
        port, at = smtp.sockets[0].getsockname()[1], http.sockets[0].getsockname()[1]
        settings = Settings(
            mail=Mail("127.0.0.1", port, Tls.NONE, user="nvr", password="secret", sender="nvr@example.org",
                      to=("a@example.org", "b@example.org")) if mail else Mail(),
            webhook=Webhook(f"http://127.0.0.1:{at}/hook", token="t0k") if webhook else Webhook(),
        )
        office = Office(inbox, hook, settings, ManualClock())
        try:
            await scene(office)
        finally:  # nobody waits for the connections that hang
            smtp.close()
            http.close()
        return office

    return asyncio.run(whole())


def test_one_mail_and_one_post_for_what_comes_together_then_one_a_minute() -> None:
    async def scene(office: Office) -> None:
        courier = office.courier()
        life = asyncio.create_task(courier.run())
        office.raise_(alarm(1), alarm(2))
        office.clock.advance(SETTLE)
        courier.nudge()
        await until(lambda: len(office.inbox.letters) == 1 and len(office.hook.requests) == 1)
        await until(lambda: not office.memory.outbox.mail.notices and not office.memory.outbox.webhook.notices)
        for number in range(3, 9):
            office.raise_(alarm(number))
            office.clock.advance(5)
            courier.nudge()
        assert len(office.inbox.letters) == 1
        office.clock.advance(GROUP)
        courier.nudge()
        await until(lambda: len(office.inbox.letters) == 2)
        await until(lambda: not office.memory.outbox.mail.notices)
        life.cancel()

    office = play(scene)
    first, second = (message_from_bytes(letter.original_content or b"") for letter in office.inbox.letters)
    assert first["Subject"] == "[rack7] Critical: Drive failed (vd0, bay 2), and 1 more"
    assert second["Subject"] == "[rack7] Critical: Drive failed (vd0, bay 2), and 5 more"
    assert office.inbox.letters[0].rcpt_tos == ["a@example.org", "b@example.org"]
    line, headers, body = office.hook.requests[0]
    assert (line, headers["authorization"]) == ("POST /hook HTTP/1.1", "Bearer t0k")
    assert [event["alarm"]["id"] for event in body["events"]] == [1, 2]
    told = {(note.channel, note.who, note.error) for note in office.memory.open[0].told}
    assert told == {
        ("mail", "a@example.org", ""), ("mail", "b@example.org", ""), ("webhook", office.settings.webhook.url, ""),
    }


def test_a_refused_person_is_shown_and_the_others_are_told() -> None:
    async def scene(office: Office) -> None:
        office.inbox.refuse = {"b@example.org"}
        office.raise_(alarm(1))
        office.clock.advance(SETTLE)
        life = asyncio.create_task(office.courier().run())
        await until(lambda: bool(office.memory.open[0].told))
        life.cancel()

    office = play(scene, webhook=False)
    assert {(note.who, note.error) for note in office.memory.open[0].told} == {
        ("a@example.org", ""), ("b@example.org", "550 no such person"),
    }


def test_what_could_not_be_sent_is_shown_survives_a_restart_and_is_sent_then() -> None:
    async def scene(office: Office) -> None:
        office.inbox.down = True
        office.raise_(alarm(1))
        office.clock.advance(SETTLE)
        life = asyncio.create_task(office.courier().run())
        await until(lambda: office.memory.outbox.mail.tries == 1)
        life.cancel()
        [missed] = {note.error for note in office.memory.open[0].told}
        assert "451 try later" in missed
        [view] = views(office.settings, office.memory.outbox)
        assert (view.waiting, view.last) == (1, None)
        assert view.error.startswith("[ALARM-003] ")

        office.memory = msgspec.json.decode(office.saved[-1], type=Memory)  # policyd is killed and comes back
        office.inbox.down = False
        courier = office.courier()
        life = asyncio.create_task(courier.run())
        await asyncio.sleep(0)
        assert office.inbox.letters == [], "not before its time"
        office.clock.advance(BACK_OFF)
        courier.nudge()
        await until(lambda: office.memory.outbox.mail.tries == 0 and not office.memory.outbox.mail.notices)
        life.cancel()

    office = play(scene, webhook=False)
    assert len(office.inbox.letters) == 1
    assert {note.error for note in office.memory.open[0].told} == {""}


def test_a_webhook_that_hangs_delays_no_mail() -> None:
    async def scene(office: Office) -> None:
        office.hook.hang = True
        office.raise_(alarm(1))
        office.clock.advance(SETTLE)
        life = asyncio.create_task(office.courier().run())
        await until(lambda: len(office.inbox.letters) == 1 and not office.memory.outbox.mail.notices)
        assert len(office.memory.outbox.webhook.notices) == 1
        life.cancel()

    play(scene)


def test_a_webhook_that_fails_is_tried_again() -> None:
    async def scene(office: Office) -> None:
        office.hook.status = "500 Oops"
        courier = office.courier()
        office.raise_(alarm(1))
        office.clock.advance(SETTLE)
        life = asyncio.create_task(courier.run())
        await until(lambda: office.memory.outbox.webhook.tries == 1)
        assert "answered 500" in office.memory.outbox.webhook.error
        office.hook.status = "200 OK"
        office.clock.advance(BACK_OFF)
        courier.nudge()
        await until(lambda: not office.memory.outbox.webhook.notices)
        life.cancel()
        assert len(office.hook.requests) == 2

    play(scene, mail=False)


def test_the_test_mail() -> None:
    async def scene(office: Office) -> None:
        said = await office.courier().test_mail()
        assert said.text == "127.0.0.1 took a test mail for a@example.org, b@example.org."
        office.settings = replace(office.settings, mail=replace(office.settings.mail, password="wrong"))
        with pytest.raises(MailFailed, match=r"did not take the mail: .*535"):
            await office.courier().test_mail()
        office.settings = Settings()
        with pytest.raises(NoMail):
            await office.courier().test_mail()

    office = play(scene, webhook=False)
    assert [letter.mail_from for letter in office.inbox.letters] == ["nvr@example.org"]


def test_nobody_there() -> None:
    settings = Mail("127.0.0.1", 1, Tls.NONE, sender="a@b.c", to=("a@b.c",))
    with pytest.raises(MailFailed, match=r"127\.0\.0\.1:1 did not take the mail"):
        asyncio.run(send_mail(settings, letter_of_test("a@b.c", ("a@b.c",), "rack7", 1.0)))
    with pytest.raises(WebhookFailed, match="cannot be reached"):
        asyncio.run(send_webhook(Webhook("http://127.0.0.1:1/x"), b"{}"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "mx"}, {"host": "mx", "sender": "a@b.c"}, {"to": ("nobody",)}, {"port": 70000},
        {"to": ("a@b.c\nBcc: x@y.z",)}, {"sender": "a@b.c, d@e.f"},
    ],
)
def test_settings_that_cannot_be_meant(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|needs|address"):
        Mail(**wrong)


def test_ports_go_by_the_kind_of_tls() -> None:
    assert [Mail(tls=tls).port_in_force for tls in Tls] == [25, 587, 465]
    assert "secret" not in repr(Mail(password="secret"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's context whose certificate nobody knows."""
    folder = tmp_path_factory.mktemp("mx")
    run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
        "-subj", "/CN=127.0.0.1", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem",
    ])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
def test_encrypted_and_never_to_a_server_that_nobody_knows(tls: Tls, certificate: ssl.SSLContext) -> None:
    async def whole() -> Inbox:
        loop, inbox = asyncio.get_running_loop(), Inbox()
        starts = tls is Tls.STARTTLS
        server = await loop.create_server(
            lambda: SMTP(inbox, hostname="mx", authenticator=login, auth_required=True, loop=loop,
                         auth_require_tls=starts, require_starttls=starts, tls_context=certificate if starts else None),
            "127.0.0.1", 0, ssl=certificate if tls is Tls.TLS else None,
        )
        port = server.sockets[0].getsockname()[1]
        settings = Mail("127.0.0.1", port, tls, user="nvr", password="secret", sender="a@b.c", to=("a@b.c",))
        mail = letter_of_test("a@b.c", ("a@b.c",), "rack7", 1.0)
        async with server:
            with pytest.raises(MailFailed, match=r"(?i)certificate"):
                await send_mail(settings, mail)
            assert inbox.letters == []
            await send_mail(replace(settings, verify=False), mail)
            server.close()
        return inbox

    assert len(asyncio.run(whole()).letters) == 1
