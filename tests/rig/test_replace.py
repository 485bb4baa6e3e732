"""`rackeye drive replace` on a terminal, with drives that are really pulled: the wrong one, too small, foreign."""

import json

import pytest

from raid.model import DriveState, VdState
from rig.drives import DriveKind
from rig.rack import Rack
from tests.rig.raid_rig import (
    checksum,
    create,
    file_digest,
    hurry,
    in_bay,
    is_whole,
    snapshot,
    until,
    vd,
    write_file,
)

pytestmark = [pytest.mark.rig]

AMBER = "bay3:amber:status"
kept: dict[str, str] = {}


class Terminal:
    """A program on a terminal of the guest (made by script(1)); what a person types goes through a pipe."""

    def __init__(self, rack: Rack, program: str) -> None:
        self.rack = rack
        rack.sh("rm -f /run/keys /run/seen /run/ended; mkfifo /run/keys")
        # holds the pipe open; the outer redirections first, for the inner one waits for a reader
        rack.sh("setsid sh -c 'exec sleep 1000 > /run/keys' > /dev/null 2>&1 < /dev/null &")
        # a shell lets what it starts in the background ignore Ctrl-C, and one in between would tell its own exit code
        rack.sh(
            f"setsid sh -c 'env --default-signal=INT script -qefc \"exec {program}\" /run/seen < /run/keys"
            " > /dev/null 2>&1; echo $? > /run/ended' > /dev/null 2>&1 < /dev/null &"
        )

    def type(self, text: str) -> None:
        self.rack.exec(["sh", "-c", "cat > /run/keys"], stdin=text, check=True)

    def seen(self) -> str:
        return " ".join(self.rack.sh("cat /run/seen 2>/dev/null || true").split())

    def wait_for(self, text: str, timeout: float = 40.0, *, times: int = 1) -> None:
        self.rack.wait_until(lambda: self.seen().count(text) >= times, timeout, f"{text!r} on the terminal")

    def ended(self) -> int:
        """Its exit code."""
        self.rack.wait_until(lambda: self.rack.exec(["test", "-s", "/run/ended"]).rc == 0, 20, "the program has ended")
        return int(self.rack.sh("cat /run/ended"))


def test_a_drive_is_replaced_step_by_step(rack: Rack) -> None:
    hurry(rack)
    until(rack, lambda s: sum(d.state is DriveState.BLANK for d in s.drives) == 8, "eight blank drives")
    create(rack, bays=(0, 1, 2, 3))
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 150)
    kept["file"] = write_file(rack, "/srv/rackeye/vd0/kept")

    person = Terminal(rack, "rackeye drive replace --bay 3")
    person.wait_for("Replace the drive in bay 3?")
    assert "If you pull any other drive of it (bays 0, 1, 2), ALL recordings of vd0 are lost" in person.seen()
    person.type("y\n")
    person.wait_for("Pull the drive out of bay 3")
    rack.wait_until(lambda: rack.led(AMBER) == "blink 4.00 Hz", 10, "the tray blinks")

    rack.pull(2)
    person.wait_for("STOP: bay 2 was pulled, and that is not bay 3!")
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "raidd has seen it")
    rack.insert(2, DriveKind.SAME)
    person.wait_for("The drive is back in its bay.")
    until(rack, lambda s: is_whole(s, "vd0"), "bay 2 is up to date again", 60)
    person.wait_for("Pull the drive out of bay 3", times=2)

    rack.pull(3)
    person.wait_for("Bay 3 is empty. Put in a new drive")
    rack.insert(3, DriveKind.SMALL)
    person.wait_for("it is not used")
    rack.pull(3)
    person.wait_for("Bay 3 is empty. Put in a new drive", times=2)
    hurry(rack, resync=False)
    serial = rack.insert(3, DriveKind.FOREIGN)
    before = file_digest(rack.drive_file(3))
    person.wait_for("To clear it type its serial")
    assert file_digest(rack.drive_file(3)) == before
    person.type(f"{serial}\n")
    person.wait_for("is blank now")
    person.wait_for("Rebuild ")
    rack.wait_until(lambda: rack.led(AMBER) == "blink 1.00 Hz", 10, "the tray shows the rebuild")
    assert " left" in person.seen()
    person.type("\x03")
    person.wait_for("The rebuild goes on. Bay 3 does not blink any more. To find it again")
    assert person.ended() == 0


def test_it_is_found_again_and_followed_to_its_end(rack: Rack) -> None:
    assert in_bay(snapshot(rack), 3)[0].state is DriveState.REBUILD, "too late: it is rebuilt already"
    rack.sh("setsid sh -c 'rackeye drive replace --bay 3 --json --yes > /run/lines; echo $? > /run/ended2' "
            "> /dev/null 2>&1 < /dev/null &")
    rack.wait_until(lambda: rack.sh("cat /run/lines").count("\n") >= 1, 20, "it says where it stands")
    hurry(rack)
    rack.wait_until(lambda: rack.exec(["test", "-s", "/run/ended2"]).rc == 0, 120, "it has ended")
    lines = [json.loads(line) for line in rack.sh("cat /run/lines").splitlines()]
    assert rack.sh("cat /run/ended2").strip() == "0"
    assert {line["stage"] for line in lines[:-1]} == {"rebuild"}
    assert lines[0]["progress"]["kind"] == "Rebuild"
    assert (lines[-1]["stage"], lines[-1]["ended"]) == ("done", True)
    assert "full member of vd0" in lines[-1]["sentence"]
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole", 30)
    rack.wait_until(lambda: rack.led(AMBER) == "off", 10, "the tray is quiet")
    assert checksum(rack, "/srv/rackeye/vd0/kept") == kept["file"]


def test_a_pull_that_would_lose_all_is_refused(rack: Rack) -> None:
    rack.pull(0)
    until(rack, lambda s: vd(s, "vd0").state is VdState.DEGRADED, "bay 0 is out", 10)
    refused = rack.exec(["rackeye", "drive", "replace", "--bay", "1", "--yes"])
    assert refused.rc == 1
    assert "RAID-071" in refused.stderr
    assert "loses ALL its recordings" in refused.stderr
    rack.insert(0, DriveKind.SAME)
    until(rack, lambda s: is_whole(s, "vd0"), "it is whole again", 60)
