"""The native parity check on a real md: clean, wrong stripes named, no false alarm, no write left waiting.

The damage is done from outside, in the file behind the drive: md cannot know.
"""

import json
import time
from collections.abc import Iterator

import pytest

from rig.rack import Rack
from tests.rig.parity_rig import CHUNK, NAME, PYTHON, Array

pytestmark = pytest.mark.rig


@pytest.fixture
def array(rack: Rack, request: pytest.FixtureRequest) -> Iterator[Array]:
    level, disks = request.param
    rack.exec(["systemctl", "stop", "rackeye-raidd.service"])  # these drives are this test's own
    made = Array(rack, level, disks)
    made.create()
    yield made
    made.destroy()


raid5 = pytest.mark.parametrize("array", [(5, 4)], indirect=True, ids=["raid5"])
raid6 = pytest.mark.parametrize("array", [(6, 6)], indirect=True, ids=["raid6"])

WRITER = """
import mmap, os, random
block, fd = mmap.mmap(-1, 65536), os.open('/dev/md90', os.O_RDWR | os.O_DIRECT)
while True:
    block[:] = random.randbytes(65536)
    os.pwrite(fd, block, random.randrange(2000) * 4096)
"""
STUCK_CHECK = """
import time, raid.readers, raid.scrub
raid.readers.Readers.again = lambda *_: time.sleep(600)
raid.scrub.check('/dev/md90')
"""


def in_background(array: Array, program: str) -> str:
    """The process id in the guest."""
    return array.sh(f'setsid {PYTHON} -c "{program}" > /dev/null 2>&1 < /dev/null & echo $!')


@raid5
def test_a_wrong_stripe_of_a_raid5_is_found_and_named(array: Array) -> None:
    code, result = array.check()
    assert (code, result["bad"], result["stripes"], result["engine"]) == (0, [], 512, "Rackeye")
    array.damage(slot=2, stripe=300, at=3 * 4096)
    code, result = array.check()
    assert (code, result["bad_stripes"]) == (1, 1)
    [bad] = result["bad"]
    assert (bad["number"], bad["array_offset"], bad["pages"]) == (300, 300 * 3 * CHUNK, 1)
    [extent] = bad["extents"]
    assert (extent["member_offset"], extent["pages"], extent["wrong"]) == (300 * CHUNK + 3 * 4096, 1, None)
    assert array.held() == (0, 0)
    array.damage(slot=2, stripe=300, at=3 * 4096)
    assert array.check()[0] == 0


@raid6
def test_the_wrong_drive_of_a_raid6_is_named(array: Array) -> None:
    for slot in range(6):
        array.damage(slot, stripe=100 + slot)
    code, result = array.check()
    assert code == 1
    named = [(bad["number"], bad["wrong"]["device"]) for bad in result["bad"]]
    assert named == [(100 + slot, array.device(slot)) for slot in range(6)]


@raid5
def test_writes_raise_no_false_alarm_and_hide_no_true_one(array: Array) -> None:
    writers = [in_background(array, WRITER) for _ in range(2)]
    try:
        for _ in range(3):
            code, result = array.check()
            assert (code, result["bad"]) == (0, [])
        array.damage(slot=1, stripe=400)  # the writers stay below stripe 50
        code, result = array.check()
        assert [bad["number"] for bad in result["bad"]] == [400]
    finally:
        array.sh(f"kill {' '.join(writers)}")


@raid5
def test_a_killed_check_leaves_no_write_waiting(array: Array) -> None:
    array.damage(slot=1, stripe=300)
    checker = in_background(array, STUCK_CHECK)
    deadline = time.monotonic() + 30
    while array.held() == (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert array.check()[0] == 2  # one check at a time
    assert array.held() == (300 * 3 * CHUNK // 512, 301 * 3 * CHUNK // 512)
    array.sh(f"kill -9 {checker}")
    write = f"timeout -s KILL 20 dd if=/dev/zero of=/dev/{NAME} bs=64k seek=900 count=3 oflag=direct"
    array.sh(f"setsid sh -c '{write} && touch /run/written' > /dev/null 2>&1 < /dev/null &")
    time.sleep(1)
    assert array.held() != (0, 0)
    assert array.sh("ls /run/written") == ""
    assert array.rack.exec([PYTHON, "-m", "raid.scrub", "--release", f"/dev/{NAME}"]).rc == 0
    deadline = time.monotonic() + 10
    while array.sh("ls /run/written") == "":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    array.sh("rm /run/written")
    assert array.check()[0] == 0  # dd wrote the whole stripe anew


@raid5
def test_nothing_is_said_about_an_array_that_lacks_a_member(array: Array) -> None:
    array.sh(f"mdadm /dev/{NAME} --fail {array.device(1)}")
    code, result = array.check()
    assert (code, result) == (2, {})
    refused = array.rack.exec([PYTHON, "-m", "raid.scrub", f"/dev/{NAME}", "--progress-file", "/run/parity.json"])
    assert refused.rc == 2
    said = json.loads(array.sh("cat /run/parity.json"))
    assert (said["done"], said["result"], said["error"]["code"]) == (True, None, "RAID-051")
