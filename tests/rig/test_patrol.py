"""The patrol read on drives with single bad sectors (dm-dust: unreadable until written), under a real md."""

import json
from typing import Any

import pytest

from rig.rack import Rack
from tests.rig.parity_rig import CHUNK, MD, NAME, PYTHON, Array

pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False)]

STRIPE, PAGE = 40, 4096
FILE = "/run/patrol.json"


def dust(array: Array, bay: int) -> str:
    """The drive of a bay behind dm-dust; returns its kernel name."""
    return array.sh(f"basename $(readlink -f /dev/mapper/dust{bay})")


def spoil(array: Array, bay: int, lba: int) -> None:
    """Eight sectors that cannot be read until they are written."""
    blocks = "; ".join(f"dmsetup message dust{bay} 0 addbadblock {lba + i}" for i in range(8))
    array.rack.sh(f"{blocks}; dmsetup message dust{bay} 0 enable")


def patrol(array: Array) -> tuple[int, dict[int, dict[str, Any]]]:
    """Of bays 0 to 4; the exit code, and what was found by bay."""
    drives = [f"{dust(array, bay)}=SN{bay}" for bay in range(5)]
    ran = array.rack.exec([PYTHON, "-m", "raid.patrol", "--progress-file", FILE, *drives], timeout=120)
    found = json.loads(array.sh(f"cat {FILE}"))["drives"]
    return ran.rc, {int(drive["serial"].removeprefix("SN")): drive for drive in found}


@pytest.fixture(scope="module")
def array(rack: Rack) -> Array:
    """RAID5 over bays 0 to 3; the drive of bay 4 is in no array."""
    made = Array(rack, 5, 4)
    rack.sh("modprobe dm_dust")
    for bay in range(5):
        rack.sh(
            f"d=$(readlink -f /dev/disk/by-bay/{bay}); "
            f"dmsetup create dust{bay} --table \"0 $(blockdev --getsz $d) dust $d 0 512\""
        )
    drives = " ".join(f"/dev/{dust(made, bay)}" for bay in range(4))
    rack.sh("udevadm settle")
    rack.sh(
        f"mdadm --create /dev/{NAME} --run --force --metadata=1.2 --level=5 -n 4 --chunk={CHUNK // 1024} --size=32768 "
        f"{drives} 2>&1; echo 1000000 > {MD}/sync_speed_min"
    )
    made.wait_for_parity()
    rack.sh(f"dd if=/dev/urandom of=/dev/{NAME} bs=1M oflag=direct count=96 2>&1; sync")
    return made


def digest(array: Array) -> str:
    return array.sh(f"dd if=/dev/{NAME} bs=1M iflag=direct status=none | sha256sum")


def test_a_bad_sector_of_a_member_is_written_anew_and_one_of_a_spare_is_named(array: Array) -> None:
    right = digest(array)
    offset = int(array.sh(f"cat {MD}/dev-{dust(array, 1)}/offset"))
    lba = offset + (STRIPE * CHUNK + 2 * PAGE) // 512
    spoil(array, 1, lba)
    spoil(array, 4, 80_000)
    code, found = patrol(array)
    assert code == 1
    [mended] = found[1]["errors"]
    assert (mended["lba"], mended["fate"], mended["array"], mended["stripe"]) == (lba, "rewritten", NAME, STRIPE)
    [named] = found[4]["errors"]
    assert (named["lba"], named["fate"], named["array"], named["stripe"]) == (80_000, "unreadable", "", None)
    assert array.sh(f"cat {MD}/sync_action {MD}/sync_min {MD}/sync_max").split() == ["idle", "0", "max"]
    assert array.sh(f"cat {MD}/degraded") == "0"
    assert (digest(array), array.check()[0]) == (right, 0)
    code, found = patrol(array)
    assert (found[1]["errors"], len(found[4]["errors"])) == ([], 1)


def test_md_itself_mends_a_bad_sector_that_is_read_and_no_member_goes(array: Array) -> None:
    right = digest(array)
    lba = int(array.sh(f"cat {MD}/dev-{dust(array, 2)}/offset")) + 10 * CHUNK // 512
    spoil(array, 2, lba)
    assert digest(array) == right
    array.sh(f"echo check > {MD}/sync_action")
    array.wait_for_parity()
    assert array.sh(f"cat {MD}/degraded") == "0"
    assert patrol(array)[1][2]["errors"] == []


def test_a_sector_that_cannot_be_written_either_is_noted_by_md_named_and_costs_no_data(array: Array) -> None:
    right = digest(array)
    lba = int(array.sh(f"cat {MD}/dev-{dust(array, 3)}/offset")) + 20 * CHUNK // 512
    array.rack.sh(
        "d=$(readlink -f /dev/disk/by-bay/3); n=$(blockdev --getsz $d); dmsetup suspend dust3; "
        f"printf '0 {lba} linear %s 0\\n{lba} 8 error\\n{lba + 8} %d linear %s {lba + 8}\\n' $d $((n - {lba + 8})) $d "
        "| dmsetup reload dust3; dmsetup resume dust3"
    )
    _, found = patrol(array)
    [named] = found[3]["errors"]
    assert (named["lba"], named["fate"], named["stripe"]) == (lba, "unreadable", 20)
    assert array.sh(f"cat {MD}/degraded") == "0"
    assert array.sh(f"cat {MD}/dev-{dust(array, 3)}/bad_blocks") == f"{lba} 8"
    assert digest(array) == right
    code, said = array.check()
    assert (code, said["bad_stripes"], len(said["unreadable"])) == (2, 0, 1)  # never told as clean


def test_in_an_array_that_is_not_whole_it_is_only_named(array: Array) -> None:
    lba = int(array.sh(f"cat {MD}/dev-{dust(array, 1)}/offset")) + STRIPE * CHUNK // 512
    array.rack.sh(f"mdadm /dev/{NAME} --fail /dev/{dust(array, 3)}")
    spoil(array, 1, lba)
    _, found = patrol(array)
    [named] = found[1]["errors"]
    assert (named["lba"], named["fate"]) == (lba, "unreadable")
    assert "not rewritten" in named["why"]
    assert array.sh(f"cat {MD}/sync_action") == "idle"


@pytest.mark.long
def test_a_bad_sector_of_a_mirror_is_written_anew(array: Array) -> None:
    members = [dust(array, bay) for bay in range(2)]
    devices = " ".join(f"/dev/{member}" for member in members)
    array.sh(f"mdadm --stop /dev/{NAME}; udevadm settle; mdadm --zero-superblock /dev/{dust(array, 3)} {devices}")
    array.rack.sh(f"mdadm --create /dev/{NAME} --run --metadata=1.2 --level=1 -n 2 --size=32768 {devices} 2>&1")
    array.sh(f"echo 1000000 > {MD}/sync_speed_min")
    array.wait_for_parity()
    array.sh(f"dd if=/dev/urandom of=/dev/{NAME} bs=1M oflag=direct; sync")
    right = digest(array)
    for at in (3 * 1024**2, 29 * 1024**2):
        lba = int(array.sh(f"cat {MD}/dev-{members[1]}/offset")) + at // 512
        spoil(array, 1, lba)
        _, found = patrol(array)
        assert [(one["lba"], one["fate"]) for one in found[1]["errors"]] == [(lba, "rewritten")], found[1]
    assert array.sh(f"cat {MD}/sync_action {MD}/sync_min {MD}/sync_max").split() == ["idle", "0", "max"]
    assert (array.sh(f"cat {MD}/degraded"), digest(array), array.check()[0]) == ("0", right, 0)
