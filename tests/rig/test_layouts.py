"""The native check over every layout that md has for RAID4, 5 and 6, on real arrays: each member that is wrong is found
in each place of the pattern, and of a RAID6 named. The arrays lie side by side on partitions of the same drives and are
checked in one go, as spans are: programs are dear in the rack."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from raid.layout import Layout
from rig.rack import Rack
from tests.rig.parity_rig import PYTHON

pytestmark = [pytest.mark.rig, pytest.mark.long, pytest.mark.rack(daemons=False, drives=6, bay_mib=160)]

CHUNK = 64 * 1024
SIZE = 4 * 1024
"""KiB of each member: 64 stripes."""
PART = 10
"""MiB of each partition."""
FIRST = 20
FIVE = tuple(layout for layout in Layout if layout <= Layout.PARITY_LAST)


def called(layout: Layout) -> str:
    """As mdadm calls it."""
    return layout.name.lower().replace("_", "-").replace("ddf-n-", "ddf-N-")


@dataclass(frozen=True)
class Laid:
    """An array in one of the layouts, over as many drives, on partition `part` of each. layout: None of a RAID4."""

    level: int
    disks: int
    layout: Layout | None
    part: int

    @property
    def name(self) -> str:
        return f"md{100 + self.part}"

    @property
    def md(self) -> str:
        return f"/sys/block/{self.name}/md"

    @property
    def data(self) -> int:
        return self.disks - (2 if self.level == 6 else 1)

    @property
    def making(self) -> str:
        how = "" if self.layout is None else f"--layout={called(self.layout)}"
        members = " ".join(f"${{d{slot}}}{self.part}" for slot in range(self.disks))
        return (
            f"mdadm --create /dev/{self.name} --run --force --metadata=1.2 --level={self.level} -n {self.disks} {how}"
            f" --chunk={CHUNK // 1024} --size={SIZE} {members} < /dev/null 2>&1;"
        )

    @property
    def spoilt(self) -> dict[int, int]:
        """Stripe to slot: each slot in each stripe of the pattern, one in a stripe."""
        return {FIRST + slot * self.disks + turn: slot for slot in range(self.disks) for turn in range(self.disks)}


@pytest.fixture(scope="module")
def drives(rack: Rack) -> str:
    """Shell: d0 to d5 are the drives of bays 0 to 5, each with a partition for every array."""
    names = "".join(f"d{bay}=$(readlink -f /dev/disk/by-bay/{bay}); " for bay in range(6))
    parts = " ".join(f"--new=0:0:+{PART}M" for _ in Layout)
    rack.sh(f"{names} for d in $d0 $d1 $d2 $d3 $d4 $d5; do sgdisk --clear {parts} $d; done; udevadm settle", 60)
    rack.sh("modprobe raid456; echo 1000000 > /proc/sys/dev/raid/speed_limit_min")
    return names


@pytest.fixture
def arrays(rack: Rack, drives: str, request: pytest.FixtureRequest) -> Iterator[tuple[Laid, ...]]:
    """Made, whole, and full of random data."""
    made: tuple[Laid, ...] = request.param
    rack.sh(drives + "".join(one.making for one in made), 120)
    every = " ".join(one.name for one in made)
    rack.sh(
        f"cd /sys/block; for m in {every}; do "
        "until [ \"$(cat $m/md/sync_action $m/md/resync_start | xargs)\" = 'idle none' ]; do sleep 0.2; done; "
        "dd if=/dev/urandom of=/dev/$m bs=1M oflag=direct status=none 2>&1 || true; done", 120
    )
    yield made
    rack.sh(f"for m in {every}; do mdadm --stop /dev/$m 2>&1; done; udevadm settle", 60)


def check(rack: Rack, arrays: tuple[Laid, ...]) -> tuple[int, dict[str, Any]]:
    argv = [PYTHON, "-m", "raid.scrub", *(f"/dev/{one.name}" for one in arrays), "--json"]
    ran = rack.exec(argv, 120)
    return ran.rc, json.loads(ran.stdout or "{}")


def spoil(rack: Rack, arrays: tuple[Laid, ...]) -> None:
    """64 bytes of each place that is to be wrong, in the file behind the drive."""
    each = " ".join(f"{one.name}:{one.part}" for one in arrays)
    starts = {}
    for line in rack.sh(
        f"for pair in {each}; do for dev in /sys/block/${{pair%:*}}/md/dev-*; do part=${{dev##*/dev-}}; "
        "echo ${pair%:*} $(cat $dev/slot $dev/offset) $(cat /sys/class/block/$part/start); done; done", 60
    ).splitlines():
        name, member, offset, start = line.split()
        starts[name, int(member)] = (int(offset) + int(start)) * 512
    for slot in range(6):
        with rack.drive_file(slot).open("r+b") as file:
            for one in arrays:
                for stripe in (stripe for stripe, where in one.spoilt.items() if where == slot):
                    at = starts[one.name, slot] + stripe * CHUNK + 4096 * (stripe % 16)
                    file.seek(at)
                    other = bytes(byte ^ 0x5A for byte in file.read(64))
                    file.seek(at)
                    file.write(other)


def laid(level: int, disks: int, layouts: tuple[Layout | None, ...]) -> tuple[Laid, ...]:
    return tuple(Laid(level, disks, layout, 1 + at) for at, layout in enumerate(layouts))


@pytest.mark.parametrize(
    "arrays",
    [(*laid(5, 5, FIVE), Laid(4, 5, None, 1 + len(FIVE))), laid(6, 6, tuple(Layout))],
    ids=["raid4 and raid5", "raid6"], indirect=True,
)
def test_each_member_that_is_wrong_is_found_in_each_place_of_the_pattern(rack: Rack, arrays: tuple[Laid, ...]) -> None:
    shapes = [(f"raid{one.level}", str(int(one.layout or 0))) for one in arrays]
    files = " ".join(f"{one.md}/level {one.md}/layout" for one in arrays)
    assert rack.sh(f"cat {files}").split() == [word for shape in shapes for word in shape]
    code, result = check(rack, arrays)
    assert (code, result["bad"], result["stripes"]) == (0, [], len(arrays) * SIZE * 1024 // CHUNK)
    spoil(rack, arrays)
    code, result = check(rack, arrays)
    assert (code, result["bad_stripes"]) == (1, sum(len(one.spoilt) for one in arrays))
    for span, one in enumerate(arrays, start=1):
        here = [bad for bad in result["bad"] if bad["span"] == span]
        found = {bad["number"]: bad["wrong"] and bad["wrong"]["slot"] for bad in here}
        assert found == (one.spoilt if one.level == 6 else dict.fromkeys(one.spoilt)), one
        for bad in here:
            stripe = bad["number"]
            place = (bad["member_offset"], bad["array_offset"], bad["pages"])
            assert place == (stripe * CHUNK, stripe * CHUNK * one.data, 1), one
            assert [extent["member_offset"] for extent in bad["extents"]] == [place[0] + 4096 * (stripe % 16)], one
