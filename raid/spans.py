"""RAID50, 60 and 00: a virtual drive over 2 to 8 equal arrays ("spans"), each remembered as an array of its own. Pure.

The span's superblock says all of it: its name "vd0.1of2" is virtual drive, number and count, and its UUID is the
virtual drive's with the number in the last group. So one span's drives are enough to know what is missing.
"""

import re
from dataclasses import replace

from raid.members import data_drives
from raid.memory import KnownVd, Memory, Stage

SPAN = re.compile(r"(?P<vd>[a-z0-9][a-z0-9-]{0,14})\.(?P<number>[1-8])of(?P<count>[2-8])")
"""The name fits into md's 32 characters together with the home host."""
GROUP = re.compile(r"(?P<group>dg[0-9]{1,3})\.group")
"""The array of a drive group that several virtual drives share (docs/design/groups.md)."""
UPPER = {50: 5, 60: 6, 0: 0}
"""Level of the spans, by the virtual drive's."""
KIB = 1024
LEAST_OFFSET = 1024 * KIB


def is_span(vd: KnownVd) -> bool:
    """It is what a virtual drive lies on: a span of it, or the array of its drive group."""
    return "." in vd.name


def top(name: str) -> str:
    """The virtual drive's name that people know."""
    return name.partition(".")[0]


def number_of(vd: KnownVd) -> int:
    """From 1."""
    found = SPAN.fullmatch(vd.name)
    return 0 if found is None else int(found["number"])


def span_name(vd: str, number: int, count: int) -> str:
    return f"{vd}.{number}of{count}"


def span_uuid(uuid: str, number: int) -> str:
    """The span's from the virtual drive's, and the other way."""
    head, last = uuid[:27], uuid[27:]
    return f"{head}{int(last, 16) ^ number:08x}"


def spans_of(vd: KnownVd, memory: Memory) -> tuple[KnownVd, ...]:
    """Those that are known, in their order; () of a plain one."""
    names = [span_name(vd.name, number, vd.spans) for number in range(1, vd.spans + 1)]
    return tuple(found for name in names if (found := memory.vd(name)) is not None)


def is_group(vd: KnownVd) -> bool:
    """The array of a shared drive group."""
    return GROUP.fullmatch(vd.name) is not None


def checked_by(vd: KnownVd) -> str:
    """The name under which an array is checked and repaired: a span with the others of its virtual drive."""
    return vd.name if is_group(vd) else top(vd.name)


def group_name(name: str) -> str:
    """Of the array, by the name that people know."""
    return f"{name}.group"


def parts_of(group: KnownVd, memory: Memory) -> tuple[KnownVd, ...]:
    """The virtual drives in a drive group."""
    return tuple(vd for vd in memory.vds if vd.group == group.uuid)


def arrays_of(vd: KnownVd, memory: Memory) -> tuple[KnownVd, ...]:
    """The arrays of drives that a virtual drive lies on: its spans, that of its drive group, or its own."""
    group = memory.by_uuid(vd.group) if vd.group else None
    return spans_of(vd, memory) or ((vd,) if group is None else (group,))


def family(vd: KnownVd, memory: Memory) -> tuple[KnownVd, ...]:
    """What comes and goes with a virtual drive: its spans, and its drive group when it is the last one there."""
    group = memory.by_uuid(vd.group) if vd.group else None
    if group is not None and all(one == vd or one.stage is Stage.DELETING for one in parts_of(group, memory)):
        return (vd, group)
    return (vd, *spans_of(vd, memory))


def tops(memory: Memory) -> tuple[KnownVd, ...]:
    """The virtual drives that people know."""
    return tuple(vd for vd in memory.vds if not is_span(vd))


def outer_of(span: KnownVd) -> KnownVd | None:
    """The virtual drive that a span tells of; None for an array that is no span."""
    found = SPAN.fullmatch(span.name)
    if found is None or span.level not in UPPER.values():
        return None
    level = next(upper for upper, inner in UPPER.items() if inner == span.level)
    uuid = span_uuid(span.uuid, int(found["number"]))
    return KnownVd(found["vd"], uuid, level, span.strip, (), Stage.READY, "", spans=int(found["count"]))


def split(vd: KnownVd) -> tuple[KnownVd, ...]:
    """The arrays of an intent with all its drives in `slots`: the virtual drive, then its spans; itself when plain."""
    if not vd.spans:
        return (vd,)
    each = len(vd.slots) // vd.spans
    spans = tuple(
        KnownVd(
            span_name(vd.name, number, vd.spans), span_uuid(vd.uuid, number), UPPER[vd.level], vd.strip,
            vd.slots[(number - 1) * each : number * each], vd.stage, "", vd.component_size, ppl=vd.ppl,
        )
        for number in range(1, vd.spans + 1)
    )
    return (replace(vd, slots=(), component_size=0), *spans)


def data_of(vd: KnownVd, memory: Memory) -> int:
    """Drives' worth of data in a full stripe; of spans that are not known, as many as the known ones have."""
    if vd.group:
        group = memory.by_uuid(vd.group)
        return 1 if group is None else data_drives(group.level, len(group.slots))
    if not vd.spans:
        return data_drives(vd.level, len(vd.slots))
    return max((data_drives(span.level, len(span.slots)) for span in spans_of(vd, memory)), default=1) * vd.spans


def chunk(vd: KnownVd, memory: Memory) -> int:
    """Bytes that the upper RAID0 gives to a span at a time: its full stripe, so that a long write fills stripes."""
    return vd.strip * data_of(vd, memory) // vd.spans


def offset(vd: KnownVd, memory: Memory) -> int:
    """Bytes before the data on each span: whole stripes, so that the file system's stripes are the spans' too."""
    each = chunk(vd, memory)
    return -(-LEAST_OFFSET // each) * each
