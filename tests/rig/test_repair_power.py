"""The power is cut in the middle of a repair: nothing committed is lost, no write waits afterwards, and done again it
ends right. Two moments in the normal tier, twenty in the long one; how raidd tells of it is in test_care.py."""

import json
import time

import pytest

from rig.rack import Rack
from tests.rig.parity_rig import MD, NAME, PYTHON, Array

pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False, drives=6)]

STRIPES = range(100, 340, 8)
MOMENTS = [0.5]
"""Of the stripes, when so many have been written the power goes."""
LONG = [round(0.02 + n / 21, 3) for n in range(20)]


@pytest.fixture(scope="module")
def six(rack: Rack) -> Array:
    made = Array(rack, 6, 6)
    made.create()
    return made


def digest(array: Array) -> str:
    return array.rack.sh(f"dd if=/dev/{NAME} bs=1M iflag=direct status=none | sha256sum", 120)


def begin_repair(array: Array, numbers: str) -> None:
    array.sh(f"setsid {PYTHON} -m raid.repair /dev/{NAME} --stripes {numbers} --progress-file /run/repair.json "
             "> /run/repair.log 2>&1 < /dev/null &")


def repaired(array: Array) -> float:
    """The part that is done, 0 to 1."""
    return float(json.loads(array.sh("cat /run/repair.json || echo '{\"percent\": 0}'"))["percent"]) / 100


def cut_and_do_again(rack: Rack, six: Array, part: float) -> None:
    right = digest(six)
    for number in STRIPES:
        six.damage(number // 8 % 6, number, at=4096)  # data, P and Q in turn
    code, found = six.check()
    assert (code, [bad["number"] for bad in found["bad"]]) == (1, list(STRIPES))
    numbers = ",".join(map(str, STRIPES))
    rack.sh("rm -f /run/repair.json")
    begin_repair(six, numbers)
    deadline = time.monotonic() + 300
    while repaired(six) < part:
        assert time.monotonic() < deadline, six.sh("cat /run/repair.log")
    rack.power_cut()
    rack.boot()
    rack.sh(f"d=; for bay in 0 1 2 3 4 5; do d=\"$d $(readlink -f /dev/disk/by-bay/$bay)\"; done; "
            f"mdadm --assemble --run /dev/{NAME} $d 2>&1")
    six.wait_for_parity()
    assert six.held() == (0, 0)
    again = rack.exec([PYTHON, "-m", "raid.repair", f"/dev/{NAME}", "--json", "--stripes", numbers], timeout=300)
    ended = [stripe["outcome"] for stripe in json.loads(again.stdout)["stripes"]]
    assert (again.rc, len(ended), "left alone" in ended) == (0, len(STRIPES), False)
    assert ("right" in ended, "repaired" in ended) == (True, True), "it was in the middle"
    assert (six.check()[0], rack.sh(f"cat {MD}/dev-*/bad_blocks").strip()) == (0, "")
    assert digest(six) == right


@pytest.mark.parametrize("part", MOMENTS)
def test_a_power_cut_in_a_repair(rack: Rack, six: Array, part: float) -> None:
    cut_and_do_again(rack, six, part)


@pytest.mark.long
@pytest.mark.parametrize("part", LONG)
def test_a_power_cut_at_twenty_moments_of_a_repair(rack: Rack, six: Array, part: float) -> None:
    cut_and_do_again(rack, six, part)
