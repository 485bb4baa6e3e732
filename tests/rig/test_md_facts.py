"""What raid/ builds upon, asked of md itself: a kernel or an mdadm that does otherwise is met here first.

The same on Debian 12 (kernel 6.1, mdadm 4.2) and Debian 13 (6.12, 4.4): docs/design/debian13.md has what differs.
"""

from collections.abc import Iterator

import pytest

from rig.drives import DriveKind
from rig.rack import Rack

pytestmark = [pytest.mark.rig, pytest.mark.rack(daemons=False, drives=5, bay_mib=384)]
MD = "/sys/block/md127/md"


@pytest.fixture(scope="module")
def disks(rack: Rack) -> list[str]:
    """The drives of bays 0 to 4."""
    rack.sh("modprobe raid456; echo 500000 > /proc/sys/dev/raid/speed_limit_min; udevadm settle")
    assert "AUTO -all" in rack.sh("cat /etc/mdadm/mdadm.conf /etc/mdadm/mdadm.conf.d/* 2>/dev/null || true")
    return rack.sh("for d in /sys/block/sd*; do echo /dev/${d##*/}; done | sort | head -5").split()


@pytest.fixture(autouse=True)
def stopped(rack: Rack, disks: list[str]) -> Iterator[None]:
    """No array before and after."""
    yield
    rack.sh("mdadm --quiet --stop /dev/md127 || true; udevadm settle")
    rack.sh(f"for d in {' '.join(disks)}; do test -b $d && mdadm --zero-superblock --force $d 2>&1; done; true")


def make(rack: Rack, disks: list[str], *options: str, level: int = 5, size: int = 64) -> None:
    """size: MiB of each member."""
    argv = f"--level={level} --raid-devices={len(disks)} --chunk=64 --size={size}M {' '.join(options)}"
    rack.sh(f"mdadm --create /dev/md127 --run --metadata=1.2 {argv} {' '.join(disks)} < /dev/null", 60)


def rest(rack: Rack) -> None:
    rack.wait_until(lambda: told(rack, "sync_action") == "idle", 120, "idle")


def told(rack: Rack, name: str) -> str:
    return rack.sh(f"cat {MD}/{name}").strip()


def test_only_by_force_a_new_raid5_bears_a_loss_at_once(rack: Rack, disks: list[str]) -> None:
    rack.sh("echo 1000 > /proc/sys/dev/raid/speed_limit_min; echo 1000 > /proc/sys/dev/raid/speed_limit_max")
    make(rack, disks[:4])
    rack.wait_until(lambda: told(rack, "sync_action") == "recover", 10, "it recovers")
    assert told(rack, "degraded") == "1"
    rack.sh("mdadm --quiet --stop /dev/md127; udevadm settle")
    make(rack, disks[:4], "--force")
    rack.wait_until(lambda: told(rack, "sync_action") == "resync", 10, "it is made right")
    assert told(rack, "degraded") == "0"
    rack.sh("echo 500000 > /proc/sys/dev/raid/speed_limit_max; echo 500000 > /proc/sys/dev/raid/speed_limit_min")


def test_a_write_waits_where_it_is_suspended_and_a_read_does_not(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--assume-clean")
    rack.sh(f"echo 8192 > {MD}/suspend_hi")  # suspend_lo is 0
    write = "dd if=/dev/zero of=/dev/md127 bs=4k count=1 seek=16 oflag=direct"
    assert rack.exec(["sh", "-c", "timeout 5 dd if=/dev/md127 of=/dev/null bs=4k count=1 iflag=direct"]).rc == 0
    rack.sh(f"setsid {write} > /dev/null 2>&1 < /dev/null & sleep 1; echo $! > /run/dd; test -d /proc/$(cat /run/dd)")
    rack.sh(f"echo 0 > {MD}/suspend_hi")
    rack.wait_until(lambda: rack.exec(["sh", "-c", "test -d /proc/$(cat /run/dd)"]).rc != 0, 10, "the write ended")


def test_a_check_counts_sectors_and_can_be_given_a_window(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--force")
    rest(rack)
    offset = int(rack.sh(f"cat {MD}/dev-{disks[1].removeprefix('/dev/')}/offset"))
    rack.sh(f"echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/urandom of={disks[1]} bs=512 seek={offset + 65536} "
            "count=8 oflag=direct conv=notrunc status=none")
    for low, high, found in ((0, 32768, "0"), (65536, 98304, "8")):
        rack.sh(f"echo {high} > {MD}/sync_max; echo {low} > {MD}/sync_min; echo check > {MD}/sync_action")
        rack.wait_until(lambda: told(rack, "sync_completed").startswith(f"{high} "), 60, "the window's end")  # noqa: B023 -- called at once
        rack.sh(f"echo idle > {MD}/sync_action; echo 0 > {MD}/sync_min; echo max > {MD}/sync_max")
        assert told(rack, "mismatch_cnt") == found


def test_a_place_can_be_named_bad_and_repair_writes_it(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--force")
    rest(rack)
    member = f"{MD}/dev-{disks[1].removeprefix('/dev/')}"
    place = int(rack.sh(f"cat {member}/offset")) + 1024
    rack.sh(f"echo '{place} 8' > {member}/bad_blocks")
    assert rack.sh(f"cat {member}/bad_blocks {member}/unacknowledged_bad_blocks").split()[:2] == [str(place), "8"]
    rack.sh(f"echo repair > {MD}/sync_action")
    rest(rack)
    assert rack.sh(f"cat {member}/bad_blocks").strip() == ""


def test_a_replaced_member_ends_faulty_and_the_array_was_never_degraded(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--force")
    rest(rack)
    rack.sh(f"mdadm /dev/md127 --add {disks[3]}; mdadm /dev/md127 --replace {disks[1]} --with {disks[3]}")
    seen = set()

    def done() -> bool:
        seen.add(told(rack, "degraded"))
        return "faulty" in rack.sh(f"cat {MD}/dev-{disks[1].removeprefix('/dev/')}/state")

    rack.wait_until(done, 60, "replaced")
    assert seen == {"0"}


def test_an_old_member_comes_back_only_by_a_bitmap(rack: Rack, disks: list[str]) -> None:
    for bitmap, comes in (("none", False), ("internal", True)):
        make(rack, disks[:3], "--force", f"--bitmap={bitmap}")
        rest(rack)
        rack.sh(f"mdadm /dev/md127 --fail {disks[1]}; sleep 0.5; mdadm /dev/md127 --remove {disks[1]}")
        rack.sh("dd if=/dev/urandom of=/dev/md127 bs=64k count=4 oflag=direct status=none")
        assert (rack.exec(["mdadm", "/dev/md127", "--re-add", disks[1]]).rc == 0) == comes
        rack.sh("sleep 0.5")
        rest(rack)
        rack.sh("mdadm --quiet --stop /dev/md127; udevadm settle")


def test_what_was_begun_and_not_started_tells_no_shape(rack: Rack, disks: list[str]) -> None:
    """It is an array all the same: its members are taken."""
    make(rack, disks[:3], "--assume-clean")
    rack.sh("mdadm --quiet --stop /dev/md127; udevadm settle")
    rack.sh(f"mdadm --incremental --config=none {disks[1]} 2>&1 || true; udevadm settle")
    names = ("array_state", "raid_disks", "level", "dev-*/slot", "dev-*/state")
    assert [told(rack, name) for name in names] == ["inactive", "", "", "none", "spare"]
    assert rack.exec(["mdadm", "--zero-superblock", disks[1]]).rc != 0, "busy"


def test_a_parity_log_has_its_own_bits_and_policy(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--force", "--consistency-policy=ppl")
    rest(rack)
    assert (told(rack, "consistency_policy"), told(rack, "bitmap/location")) == ("ppl", "none")
    bits = rack.sh(f"od -An -tu4 -j $((4096 + 8)) -N 4 {disks[0]}")  # feature_map, include/uapi/linux/raid/md_p.h
    assert int(bits) & (1024 | 2048), bits


def test_more_failures_than_it_bears_is_broken(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:3], "--force")
    rest(rack)
    rack.sh(f"for d in {disks[0]} {disks[1]}; do echo faulty > {MD}/dev-${{d##*/}}/state || true; done")
    rack.exec(["sh", "-c", "timeout 5 dd if=/dev/zero of=/dev/md127 bs=64k count=1 oflag=direct"])
    assert told(rack, "array_state") == "broken", rack.sh(f"cat {MD}/dev-*/state {MD}/degraded")


def test_a_pull_from_an_idle_array_is_not_seen_by_md(rack: Rack, disks: list[str]) -> None:
    make(rack, disks[:4], "--assume-clean")
    rack.wait_until(lambda: told(rack, "array_state") in ("clean", "read-auto"), 30, "idle")
    rack.sh("udevadm settle; sync; sleep 2")
    rack.pull(1)
    rack.sh("sleep 3")
    assert told(rack, "degraded") == "0"
    rack.insert(1, DriveKind.BLANK)
