"""Takes what is due from the outbox and delivers it, a task for each channel: no slow server delays policyd or the
other channel. What was not reported to the disk as delivered is delivered again after a restart.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, Self, TypeVar

from core.bus import Sentence
from core.clock import Clock
from core.errors import NoMail, RackeyeError
from core.journal import get_logger
from core.settings import Settings
from nvr.alarms import letters, outbox
from nvr.alarms.letters import News
from nvr.alarms.model import Alarm, ChannelView, Event, Told
from nvr.alarms.outbox import CHANNELS, Notice, Outbox

log = get_logger("rackeye-policyd")


class Books(Protocol):
    """What the courier needs of policyd's memory."""

    @property
    def open(self) -> tuple[Alarm, ...]: ...

    @property
    def cleared(self) -> tuple[Alarm, ...]: ...

    @property
    def outbox(self) -> Outbox: ...

    def noted(self, box: Outbox, batch: tuple[Notice, ...], reports: tuple[Told, ...]) -> Self:
        """The memory after a delivery, or a failed one."""


B = TypeVar("B", bound=Books)


@dataclass(slots=True)
class Courier(Generic[B]):
    """books: policyd's memory as it is now; change: alters it, on the disk when it returns."""

    settings: Callable[[], Settings]
    books: Callable[[], B]
    change: Callable[[Callable[[B], B]], Awaitable[None]]
    clock: Clock
    host: str = field(default_factory=socket.gethostname)
    _news: dict[str, asyncio.Event] = field(default_factory=lambda: {name: asyncio.Event() for name in CHANNELS})

    def nudge(self) -> None:
        """Something may be due."""
        for event in self._news.values():
            event.set()

    async def run(self) -> None:
        """Delivers for as long as policyd lives."""
        async with asyncio.TaskGroup() as group:
            for channel in CHANNELS:
                group.create_task(self._serve(channel))

    async def test_mail(self) -> Sentence:
        """A test mail now. Raises NoMail, MailFailed."""
        from nvr.alarms import channels  # noqa: PLC0415 -- only a box that mails needs it

        settings = self.settings().mail
        if not settings.host:
            raise NoMail("No mail server is set.", hint="rackeye explain ALARM-002 says which keys to set.")
        mail = letters.test_mail(settings.sender, settings.to, self.host, self.clock.now())
        outcome = await channels.send_mail(settings, mail)
        refused = "".join(f" Not taken for {who}: {why}." for who, why in outcome.refused)
        return Sentence(f"{settings.host} took a test mail for {', '.join(outcome.told)}.{refused}")

    async def _serve(self, channel: str) -> None:
        while True:
            now = self.clock.now()
            due = outbox.due(self.books().outbox.of(channel), now) if channel in set_up(self.settings()) else None
            if due is not None and due <= now:
                await self._deliver(channel)
                continue
            self._news[channel].clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news[channel].wait(), None if due is None else due - now)

    async def _deliver(self, channel: str) -> None:
        batch = self.books().outbox.of(channel).notices
        news = gather(batch, (*self.books().open, *self.books().cleared))
        try:
            reports = await self._send(channel, news) if news else ()
        except RackeyeError as error:
            sentence = f"[{error.code}] {error.sentence}"
            log.error(f"{channel}: {sentence}")
            now = self.clock.now()
            reports = tuple(_told(channel, who, now, error.sentence) for who in addressees(channel, self.settings()))
            await self.change(lambda books: books.noted(
                books.outbox.having(channel, outbox.failed(books.outbox.of(channel), now, sentence)), batch, reports,
            ))
            return
        now = self.clock.now()
        await self.change(lambda books: books.noted(
            books.outbox.having(channel, outbox.sent(books.outbox.of(channel), batch, now)), batch, reports,
        ))

    async def _send(self, channel: str, news: list[News]) -> tuple[Told, ...]:
        from nvr.alarms import channels  # noqa: PLC0415 -- only a box that mails needs it

        settings, now = self.settings(), self.clock.now()
        if channel == "mail":
            mail = letters.mail(settings.mail.sender, settings.mail.to, self.host, news, now)
            outcome = await channels.send_mail(settings.mail, mail)
        else:
            outcome = await channels.send_webhook(settings.webhook, letters.document(self.host, news, now))
        log.info(f"{channel}: {len(news)} alarm(s) told to {', '.join(outcome.told)}.")
        return (
            *(_told(channel, who, now, "") for who in outcome.told),
            *(_told(channel, who, now, why) for who, why in outcome.refused),
        )


def _told(channel: str, who: str, at: float, error: str) -> Told:
    return Told(channel, who, Event.RAISED, at, error)  # the event is put in for each alarm: outbox.tell


def gather(batch: tuple[Notice, ...], alarms: tuple[Alarm, ...]) -> list[News]:
    """The batch by alarm; an alarm that is no longer kept is left out."""
    by_id = {alarm.id: alarm for alarm in alarms}
    events: dict[int, list[Event]] = {}
    for item in batch:
        events.setdefault(item.alarm, []).append(item.event)
    return [News(by_id[number], tuple(happened)) for number, happened in events.items() if number in by_id]


def set_up(settings: Settings) -> tuple[str, ...]:
    """Channels that the settings name."""
    return (*(["mail"] if settings.mail.host else []), *(["webhook"] if settings.webhook.url else []))


def addressees(channel: str, settings: Settings) -> tuple[str, ...]:
    """Who is told by a channel."""
    return settings.mail.to if channel == "mail" else (settings.webhook.url,)


def views(settings: Settings, box: Outbox) -> tuple[ChannelView, ...]:
    """What other programs see of the channels that are set up."""
    return tuple(
        ChannelView(
            name, addressees(name, settings), len(box.of(name).notices), box.of(name).error,
            box.of(name).last or None,
        )
        for name in set_up(settings)
    )
