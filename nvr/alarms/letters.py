"""The words of a mail and the document of a webhook (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import msgspec

from core.units import utc_text
from nvr.alarms.model import Alarm, Event, Level

RANK = {Level.CRITICAL: 0, Level.WARNING: 1, Level.NOTICE: 2}


@dataclass(frozen=True, slots=True)
class News:
    """An alarm, and what happened to it, in order."""

    alarm: Alarm
    events: tuple[Event, ...]


def order(news: Sequence[News]) -> list[News]:
    """What loses video first, then by level; what is over last."""
    return sorted(news, key=lambda item: (
        item.alarm.cleared is not None, not item.alarm.loud, RANK[item.alarm.level], item.alarm.id,
    ))


def subject(host: str, news: Sequence[News]) -> str:
    """One line: the worst, and how many more."""
    first, *more = order(news)
    alarm = first.alarm
    place = alarm.vd or alarm.camera or ""
    bay = f"bay {alarm.bay}" if alarm.bay is not None else ""
    where = ", ".join(filter(None, [place, bay]))
    state = str(alarm.level) if Event.RAISED in first.events and alarm.cleared is None else str(first.events[-1])
    line = f"[{host}] {state}: {alarm.title}{f' ({where})' if where else ''}"
    return _one_line(line + (f", and {len(more)} more" if more else ""))


def text(host: str, news: Sequence[News]) -> str:
    """All a person needs who has only this mail: host, array, bay, serial, and what to do."""
    return "\n\n".join(_paragraph(host, item) for item in order(news)) + (
        f"\n\nAll alarms of {host}: rackeye alarm. What a code means: rackeye explain CODE.\n"
    )


def _paragraph(host: str, item: News) -> str:
    alarm = item.alarm
    facts = [
        ("Alarm", f"{alarm.id} ({alarm.code}, {alarm.level})"),
        ("Host", host),
        ("Array", alarm.vd),
        ("Bay", None if alarm.bay is None else str(alarm.bay)),
        ("Serial", alarm.serial),
        ("Camera", alarm.camera),
        ("Raised", utc_text(alarm.raised)),
        ("Seen", None if alarm.acknowledged is None else f"{utc_text(alarm.acknowledged)}, by a person"),
        ("Cleared", None if alarm.cleared is None else f"{utc_text(alarm.cleared)}. {alarm.cleared_text}"),
        ("What to do", alarm.hint if alarm.cleared is None else "Nothing."),
    ]
    head = f"{' and '.join(str(event).upper() for event in item.events)}: {alarm.title}\n{alarm.text}"
    return "\n".join([head, *(f"  {name + ':':<12} {_one_line(value)}" for name, value in facts if value)])


def mail(sender: str, to: Sequence[str], host: str, news: Sequence[News], now: float) -> EmailMessage:
    """The mail."""
    urgent = any(item.alarm.loud and item.alarm.cleared is None for item in news)
    return _message(sender, to, subject(host, news), text(host, news), now, urgent=urgent)


def test_mail(sender: str, to: Sequence[str], host: str, now: float) -> EmailMessage:
    """A mail that says that mails arrive."""
    words = f"This is a test. Alarms of the recorder {host} will come to this address.\n"
    return _message(sender, to, _one_line(f"[{host}] Test mail"), words, now, urgent=False)


def document(host: str, news: Sequence[News], now: float) -> bytes:
    """The body of a webhook: {"version", "host", "at", "events": [{"event", "alarm"}]}; times are UTC seconds."""
    def public(alarm: Alarm) -> dict[str, object]:
        return {key: value for key, value in msgspec.to_builtins(alarm).items() if key != "told"}

    events = [{"event": event, "alarm": public(item.alarm)} for item in news for event in item.events]
    return msgspec.json.encode({"version": 1, "host": host, "at": now, "events": events})


def _message(sender: str, to: Sequence[str], line: str, words: str, now: float, *, urgent: bool) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), line
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = make_msgid(domain="rackeye.invalid")
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
    if urgent:
        message["X-Priority"], message["Importance"] = "1", "high"
    message.set_content(words)
    return message


def _one_line(words: str) -> str:
    """A serial or a name is what a drive or a camera says: it must not make a header of its own."""
    return "".join(char if char.isprintable() else " " for char in words)
