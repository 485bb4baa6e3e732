"""What a native parity check found, as data and as sentences."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.units import human_bytes, human_seconds

NAMED = 1000
"""So many wrong stripes are named, and the rest counted; with more unreadable places the check is given up."""

LISTED = "in md's list of bad blocks"
"""Why of an unreadable place that md itself holds for bad."""


@dataclass(frozen=True, slots=True)
class WrongMember:
    """The member that holds wrong data. `role`: "P", "Q", "data" or, in a mirror, "copy"."""

    slot: int
    device: str
    role: str


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a place in a mirror. offset: bytes in the member's data area. alike: copies of one number agree."""

    slot: int
    device: str
    offset: int
    alike: int


@dataclass(frozen=True, slots=True)
class BadExtent:
    """Neighbouring pages of 4 KiB with one verdict. `member_offset`: bytes, in each member's data area.

    copies: of a mirror, which differ; member_offset is the first one's then, and array_offset where it is in the array.
    """

    member_offset: int
    pages: int
    wrong: WrongMember | None
    copies: tuple[Copy, ...] = ()
    array_offset: int | None = None


@dataclass(frozen=True, slots=True)
class BadStripe:
    """A stripe whose parity disagrees.

    number: from 0; member_offset: where it begins in each member's data area; array_offset: where its data begin in
    the array (bytes). pages: how many disagree. wrong: the wrong member where all pages name the same, else None =
    unknown (always with RAID4/5). span: of RAID50 and 60, from 1, else 0; numbers and offsets are the span's.
    """

    number: int
    array_offset: int
    member_offset: int
    pages: int
    wrong: WrongMember | None
    extents: tuple[BadExtent, ...]
    span: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place that could not be judged, as the drive or md says. `offset`: bytes from the start of the device."""

    slot: int
    device: str
    offset: int
    length: int
    why: str
    span: int = 0


@dataclass(frozen=True, slots=True)
class SpanSeen:
    """How far one span was checked; fields as of a ScrubResult."""

    array: str
    level: int
    stripes: int
    of: int
    bad_stripes: int
    missing_slot: int | None


@dataclass(frozen=True, slots=True)
class ScrubResult:
    """What a check found.

    stripes: judged or counted as unreadable; of: stripes of the array (fewer were looked at when `stopped`).
    bytes: of all members together. bad: the first `NAMED` wrong stripes; bad_stripes: how many there are in all.
    spans: of RAID50 and 60; then the other fields are sums, and each bad stripe says its span.
    """

    array: str
    level: int
    stripes: int
    of: int
    bytes: int
    seconds: float
    bad: tuple[BadStripe, ...]
    bad_stripes: int
    unreadable: tuple[Unreadable, ...]
    missing_slot: int | None
    stopped: bool
    engine: str
    spans: tuple[SpanSeen, ...] = ()

    @property
    def complete(self) -> bool:
        """Every stripe was judged."""
        return not self.stopped and not self.unreadable

    @property
    def clean(self) -> bool:
        """Every stripe was judged, and all agree."""
        return self.complete and not self.bad_stripes


@dataclass(frozen=True, slots=True)
class ScrubProgress:
    """percent 0 to 100; speed: bytes of each member a second, as md counts its own; None is unknown."""

    percent: float
    speed: int | None
    seconds_left: float | None


def sentences(result: ScrubResult) -> Iterator[str]:
    """The result for people, the verdict first."""
    yield f"{result.array}: {_verdict(result)}"
    read, time = human_bytes(result.bytes), human_seconds(result.seconds)
    yield f"RAID{result.level}, {result.stripes} of {result.of} stripes, {read} read in {time} by {result.engine}."
    for number, span in enumerate(result.spans, start=1):
        yield f"Span {number}, {span.array}: {span.stripes} of {span.of} stripes, {span.bad_stripes} wrong."
    if result.missing_slot is not None:
        yield f"Slot {result.missing_slot} has no member: wrong data are found, but the wrong member cannot be named."
    for stripe in result.bad:
        wrong = "unknown" if stripe.wrong is None else f"{stripe.wrong.device} (slot {stripe.wrong.slot})"
        if stripe.wrong is None and len({extent.wrong for extent in stripe.extents}) > 1:
            wrong = "more than one, see --json"
        differ = "differ" if stripe.extents and stripe.extents[0].copies else "wrong"
        yield (
            f"{_span(stripe.span)}stripe {stripe.number}: {stripe.pages} pages {differ}; "
            f"array offset {stripe.array_offset}, member offset {stripe.member_offset}; wrong member: {wrong}."
        )
        for extent in stripe.extents:
            if extent.copies:
                yield f"  {extent.pages * 4} KiB at {extent.array_offset} of the array: {_copies(extent)}."
    if result.bad_stripes > len(result.bad):
        yield f"and {result.bad_stripes - len(result.bad)} more wrong stripes."
    for place in result.unreadable:
        where = f"{_span(place.span)}{place.device} (slot {place.slot})"
        yield f"{where}: {place.length} bytes at {place.offset} unreadable: {place.why}."


def _copies(extent: BadExtent) -> str:
    alike: dict[int, list[str]] = {}
    for copy in extent.copies:
        alike.setdefault(copy.alike, []).append(f"{copy.device} (slot {copy.slot}, offset {copy.offset})")
    return " differs from ".join(" and ".join(devices) for devices in alike.values())


def _span(number: int) -> str:
    return f"span {number}, " if number else ""


def _verdict(result: ScrubResult) -> str:
    if result.bad_stripes:
        return f"{result.bad_stripes} stripes are wrong."
    if result.unreadable:
        return "no stripe that could be read is wrong, but some could not be read."
    if result.stopped:
        return "stopped; nothing wrong so far."
    return "clean."
