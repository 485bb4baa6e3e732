"""Keeps what the drives say of themselves: each is read when it comes, then seldom, one at a time, in an own thread.

A look never waits for it: it takes what is known and says which drives are there. smartctl may hang in the kernel for
as long as a drive hangs, so the thread is a daemon thread, and one drive's silence takes TIMEOUT of the others' turn.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from core import journal
from core.clock import Clock
from core.daemon import Wake
from core.errors import SmartHistoryBroken
from raid.smart import Outcome, Reading, read
from raid.smart_history import History
from raid.smart_model import Smart, SmartHealth
from raid.world import Disk

PAUSE = 0.5
"""Seconds between two drives: nobody waits for this."""
GONE_AGAIN = 5.0
"""Seconds after which a drive is read again that went away, or was changed, while it was read."""
MISSING_AGAIN = 60.0
"""Seconds after which smartctl is looked for again."""

Key = tuple[str, int]


@dataclass(slots=True)
class Entry:
    """A drive that is there. due: monotonic seconds of the next reading. trouble: what the journal knows."""

    disk: Disk
    due: float
    smart: Smart
    trouble: str = ""


def after(old: Smart, reading: Reading, now: float) -> Smart:
    """What is known of a drive after a try. Pure.

    A try that failed makes what was good unknown; a drive that was failing stays so until it reads as something else.
    """
    if reading.outcome is Outcome.READ:
        return Smart(reading.health, reading.detail, reading.figures, now)
    if reading.outcome is Outcome.ASLEEP and old.read is not None:
        return replace(old, asleep=True)
    if old.health is SmartHealth.FAILING:
        return replace(old, asleep=reading.outcome is Outcome.ASLEEP)
    asleep = reading.outcome is Outcome.ASLEEP
    return Smart(SmartHealth.UNKNOWN, reading.detail, old.figures, old.read, asleep)


class SmartKeeper:
    """Safe to use from the thread of looks, the daemon's loop, and its own thread."""

    def __init__(
        self,
        history: History,
        clock: Clock,
        interval: Callable[[], float],
        seq_of: Callable[[str], int | None],
        ask: Callable[[str], Reading] = read,
    ) -> None:
        """interval: seconds between two readings. seq_of: the diskseq of a kernel name now, None when it is gone."""
        self._history = history
        self._clock = clock
        self._interval = interval
        self._seq_of = seq_of
        self._ask = ask
        self._entries: dict[Key, Entry] = {}
        self._changed = threading.Condition()
        self._missing = ""
        self._history_trouble = ""
        self._log = journal.get_logger("rackeye-raidd")
        self._failing = self._were_failing()

    # -- for looks

    def know(self, disks: tuple[Disk, ...]) -> tuple[tuple[tuple[str, Smart], ...], tuple[str, ...]]:
        """These drives are there. Returns what is known of each, by kernel name, and what is in the way."""
        with self._changed:
            here = {(disk.name, disk.diskseq): disk for disk in disks}
            self._entries = {key: entry for key, entry in self._entries.items() if key in here}
            now = self._clock.monotonic()
            for key, disk in here.items():
                entry = self._entries.get(key)
                if entry is None:
                    self._entries[key] = Entry(disk, now, self._failing.get(disk.serial, Smart()))
                    self._changed.notify()
                else:
                    entry.disk = disk
            said = tuple(filter(None, (self._missing, self._history_trouble, *_troubles(self._entries))))
            return tuple((name, entry.smart) for (name, _), entry in self._entries.items()), said

    def ask_soon(self, name: str) -> bool:
        """Reads this drive (kernel name) now; False when it is not there."""
        with self._changed:
            found = [entry for (known, _), entry in self._entries.items() if known == name]
            for entry in found:
                entry.due = self._clock.monotonic()
            self._changed.notify()
            return bool(found)

    # -- the thread

    async def watch(self, wake: Wake) -> None:
        """A source of events: wakes when something is known anew. Never returns."""
        threading.Thread(target=self._work, args=(wake,), name="smart", daemon=True).start()
        await asyncio.Event().wait()

    def _work(self, wake: Wake) -> None:
        while True:
            with self._changed:
                wait = self._wait()
                if wait > 0:
                    self._changed.wait(min(wait, 3600.0))
                    continue
            if self.one():
                wake()
            with self._changed:
                self._changed.wait(PAUSE)

    def _wait(self) -> float:
        due = min((entry.due for entry in self._entries.values()), default=None)
        return 3600.0 if due is None else due - self._clock.monotonic()

    def one(self) -> bool:
        """Reads the drive whose turn it is; True when something is known that was not."""
        with self._changed:
            now = self._clock.monotonic()
            key = min((entry.due, key) for key, entry in self._entries.items())[1] if self._entries else None
            if key is None or self._entries[key].due > now:
                return False
            disk, old, due = self._entries[key].disk, self._entries[key].smart, self._entries[key].due
        if old.read is None:
            old = self._remembered(disk, old)
        reading = self._ask(disk.device)
        if reading.outcome is Outcome.MISSING:
            return self._not_there(reading.detail)
        smart = after(old, reading, self._clock.now())
        if self._seq_of(disk.name) != disk.diskseq:
            with self._changed:  # it was pulled meanwhile; another may have answered
                if key in self._entries:
                    self._entries[key].due = self._clock.monotonic() + GONE_AGAIN
            return False
        self._say(key, reading)
        if reading.outcome is Outcome.READ:
            self._keep(disk, smart)
        with self._changed:
            entry = self._entries.get(key)
            if entry is None:
                return False
            news = entry.smart != smart or bool(self._missing)
            entry.smart = smart
            if entry.due == due:  # else somebody asked meanwhile, for what it says after that
                entry.due = self._clock.monotonic() + self._interval()
            self._missing = ""
            if smart.health is SmartHealth.FAILING and disk.serial:
                self._failing[disk.serial] = smart
            else:
                self._failing.pop(disk.serial, None)
            return news

    def _were_failing(self) -> dict[str, Smart]:
        """A drive that was failing before raidd started is in Shield from the first look on."""
        try:
            return self._history.failing()
        except SmartHistoryBroken as error:
            self._history_trouble = f"S.M.A.R.T. readings are not kept: {error.sentence}"
            self._log.warning(self._history_trouble)
            return {}

    def _remembered(self, disk: Disk, old: Smart) -> Smart:
        """What was known of this serial before, for a drive that sleeps or does not answer."""
        if not disk.serial:
            return old
        try:
            last = self._history.last(disk.serial)
        except SmartHistoryBroken:
            return old
        return old if last is None else Smart(last.health, last.detail, last.figures, last.at)

    def _not_there(self, why: str) -> bool:
        """smartctl is missing: said once, and looked for again."""
        said = f"S.M.A.R.T. of the drives cannot be read: {why}"
        with self._changed:
            news = self._missing != said
            for entry in self._entries.values():
                entry.due = max(entry.due, self._clock.monotonic() + MISSING_AGAIN)
                if entry.smart.health is not SmartHealth.FAILING:
                    entry.smart = replace(entry.smart, health=SmartHealth.UNKNOWN, detail=said)
            self._missing = said
        if news:
            self._log.warning(said)
        return news

    def _say(self, key: Key, reading: Reading) -> None:
        """A trouble with one drive, in the journal when it begins."""
        with self._changed:
            entry = self._entries.get(key)
            if entry is None:
                return
            before, entry.trouble = entry.trouble, reading.detail if reading.outcome is Outcome.BROKEN else ""
            disk, trouble = entry.disk, entry.trouble
        if trouble and trouble != before:
            self._log.warning(_sentence(disk, trouble), bay=disk.bay, serial=disk.serial)

    def _keep(self, disk: Disk, smart: Smart) -> None:
        try:
            self._history.add(disk.serial, disk.model, smart)
        except SmartHistoryBroken as error:
            said = f"S.M.A.R.T. readings are not kept: {error.sentence}"
            if said != self._history_trouble:
                self._log.warning(said)
            self._history_trouble = said
        else:
            self._history_trouble = ""


def _troubles(entries: dict[Key, Entry]) -> list[str]:
    return [_sentence(entry.disk, entry.trouble) for _, entry in sorted(entries.items()) if entry.trouble]


def _sentence(disk: Disk, trouble: str) -> str:
    place = disk.device if disk.bay is None else f"bay {disk.bay}"
    return f"S.M.A.R.T. of the drive in {place} (serial {disk.serial}) cannot be read: {trouble}"
