"""Repair of wrong stripes on a real md: what is mended, what is left alone, and what a cut in the middle leaves.

The damage is done from outside, in the files behind the drives: md cannot know.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rig.rack import Rack
from tests.rig.parity_rig import CHUNK, MD, NAME, PYTHON, Array

pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False)]

LAST = 511


def run_repair(array: Array, *stripes: int) -> tuple[int, dict[str, Any]]:
    numbers = ",".join(map(str, stripes))
    ran = array.rack.exec([PYTHON, "-m", "raid.repair", f"/dev/{NAME}", "--json", "--stripes", numbers])
    return ran.rc, json.loads(ran.stdout or "{}")


def digest(array: Array) -> str:
    return array.sh(f"dd if=/dev/{NAME} bs=1M iflag=direct status=none | sha256sum")


def at_rest(array: Array) -> bool:
    """No range held, no window left, nothing runs."""
    said = array.sh(f"cat {MD}/suspend_lo {MD}/suspend_hi {MD}/sync_min {MD}/sync_max {MD}/sync_action").split()
    return said == ["0", "0", "0", "max", "idle"]


def marks(array: Array) -> str:
    return array.sh(f"cat {MD}/dev-*/bad_blocks")


@pytest.fixture(scope="module")
def six(rack: Rack) -> Iterator[Array]:
    made = Array(rack, 6, 6)
    made.create()
    yield made
    made.destroy()


def test_raid6_the_wrong_member_of_each_page_is_mended(six: Array) -> None:
    right = digest(six)
    for slot in range(6):  # data or Q there
        six.damage(slot, stripe=100 + slot, at=4096 * slot)
    six.damage(1, stripe=106)  # P there
    six.damage(1, stripe=200)
    six.damage(3, stripe=200, at=5 * 4096)  # two members, in two pages: each is known
    six.damage(2, stripe=LAST)
    six.damage(1, stripe=300)
    six.damage(4, stripe=300, at=512)  # two in one page: nobody can know
    six.sh(f"echo check > {MD}/sync_action")  # md's cache holds the wrong data of the last stripes from now on
    six.wait_for_parity()
    code, found = six.check()
    wrong = [bad["number"] for bad in found["bad"]]
    assert (code, wrong) == (1, [*range(100, 107), 200, 300, LAST])
    code, result = run_repair(six, *wrong)
    ended = {stripe["number"]: stripe for stripe in result["stripes"]}
    assert code == 1
    assert ended[300]["outcome"] == "left alone"
    assert "not known" in ended[300]["why"]
    assert [number for number in wrong if ended[number]["outcome"] == "repaired"] == [n for n in wrong if n != 300]
    assert [[w["slot"] for w in ended[100 + slot]["wrong"]] for slot in range(6)] == [[slot] for slot in range(6)]
    assert {ended[number]["wrong"][0]["role"] for number in range(100, 107)} == {"P", "Q", "data"}
    assert [w["slot"] for w in ended[200]["wrong"]] == [1, 3]
    assert (at_rest(six), marks(six)) == (True, "")
    six.damage(1, stripe=300)  # mends it: nothing had been written there
    six.damage(4, stripe=300, at=512)
    assert six.check()[0] == 0
    assert digest(six) == right
    code, result = run_repair(six, 300)
    assert (code, result["stripes"][0]["outcome"]) == (0, "right")


STUCK = """
import time, raid.repair
raid.repair._Repair._write = lambda *_: time.sleep(600)
raid.repair.repair('/dev/md90', [50])
"""


def test_a_killed_repair_holds_no_write_and_leaves_no_window(six: Array) -> None:
    six.damage(2, stripe=50)
    pid = six.sh(f'setsid {PYTHON} -c "{STUCK}" > /dev/null 2>&1 < /dev/null & echo $!')
    deadline = time.monotonic() + 30
    while six.held() == (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    six.sh(f"kill -9 {pid}")
    first, last = 400 * CHUNK // 512, 401 * CHUNK // 512
    six.sh(f"echo {first} > {MD}/sync_min; echo {last} > {MD}/sync_max; echo repair > {MD}/sync_action; sleep 1")
    assert six.sh(f"cat {MD}/sync_action") == "repair"
    assert six.rack.exec([PYTHON, "-m", "raid.scrub", "--release", f"/dev/{NAME}"]).rc == 0
    assert at_rest(six)
    code, result = run_repair(six, 50)
    assert (code, result["stripes"][0]["outcome"]) == (0, "repaired")
    assert six.check()[0] == 0


def test_a_power_cut_after_the_mark_loses_nothing_and_is_finished(rack: Rack, six: Array) -> None:
    right = digest(six)
    six.damage(3, stripe=60)
    code, found = six.check()
    role = found["bad"][0]["wrong"]["role"]
    assert (code, role) == (1, "data"), "choose another stripe"
    device = six.device(3).removeprefix("/dev/")
    offset = int(six.sh(f"cat {MD}/dev-{device}/offset")) + 60 * CHUNK // 512
    six.sh(f"echo {offset} 8 > {MD}/dev-{device}/bad_blocks; sync; sleep 1")
    rack.power_cut()
    rack.boot()
    six.sh(f"for bay in 0 1 2 3 4 5; do d=\"$d $(readlink -f /dev/disk/by-bay/$bay)\"; done; "
           f"mdadm --assemble --run /dev/{NAME} $d")
    six.wait_for_parity()
    code, result = run_repair(six, 60)
    assert (code, result["stripes"][0]["outcome"]) in ((0, "repaired"), (0, "right"))
    assert (six.check()[0], marks(six)) == (0, "")
    assert digest(six) == right


def test_a_raid6_that_lacks_a_member_is_not_repaired(six: Array) -> None:
    six.damage(2, stripe=70)
    six.sh(f"mdadm /dev/{NAME} --fail {six.device(5)}")
    code, result = run_repair(six, 70)
    assert (code, result) == (2, {})
    assert marks(six) == ""


@pytest.fixture(scope="module")
def five(rack: Rack, six: Array) -> Array:
    six.destroy()
    made = Array(rack, 5, 4)
    made.create()
    return made


def test_raid5_the_parity_is_computed_anew_and_the_data_stay_as_they_are(five: Array) -> None:
    row = 0
    five.damage(3, stripe=row)  # left-symmetric: P of stripe 0 is on the last member
    right = digest(five)
    code, result = run_repair(five, row)
    assert (code, result["stripes"][0]["outcome"], five.check()[0], digest(five)) == (0, "repaired", 0, right)
    five.damage(1, stripe=7)
    wrong = digest(five)
    assert wrong != right
    code, result = run_repair(five, 7)
    assert (code, result["stripes"][0]["wrong"]) == (0, [])
    assert (five.check()[0], digest(five)) == (0, wrong)
    assert at_rest(five)
