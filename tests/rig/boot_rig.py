"""What the tests of modes, restore and switch share: the menu by hand, traces of use, and cuts at a moment."""

import re
import time

from boot.model import BoxSnapshot, Intent, Mode
from boot.state import Record, decode
from rig.daemons import snapshot
from rig.rack import Rack

VIDEO = "/srv/rackeye/vd0/recordings/cam1/keep.mp4"
TRACES = ["/var/lib/rackeye/settings.toml", "/etc/ssh/ssh_host_test_key", "accounts"]


def box(rack: Rack) -> BoxSnapshot:
    return snapshot(rack, "Box1", BoxSnapshot)


def up(rack: Rack) -> BoxSnapshot:
    """Waits for boxd; returns what it says."""
    return rack.wait_until(lambda: box(rack), 180, "boxd")


def boot_id(rack: Rack) -> str:
    return rack.sh("cat /proc/sys/kernel/random/boot_id")


def state_of(rack: Rack, unit: str) -> str:
    return rack.exec(["systemctl", "is-active", unit]).stdout.strip()


def record(rack: Rack) -> Record | None:
    """The record of the mode by its files: at the menu boxd does not run yet. None: damaged, or never written."""
    texts = [rack.sh(f"cat /var/lib/rackeye/boot/state.{copy} || true").encode() for copy in "ab"]
    good = [found for found in map(decode, texts) if found is not None]
    return max(good, key=lambda found: found.generation, default=None)


def open_menu(rack: Rack) -> str:
    """Boots into the menu and stops its countdown; what stood on it before."""
    rack.power_cut()
    rack.boot(whole=False)
    return hold(rack)


def hold(rack: Rack) -> str:
    """Stops the countdown of a boot that has just begun; what stood on the screen before."""
    shown = rack.console().wait_for("Any key stops the countdown", 60)
    rack.console().send("x")
    rack.console().wait_for("Arrows or a digit", 60)
    return shown


def at_menu(rack: Rack) -> None:
    """At the entries of the menu, by a power cut when it is not shown."""
    if state_of(rack, "rackeye-boot-menu") != "activating" or "Arrows or a digit" not in rack.console().screen():
        open_menu(rack)


def choose(rack: Rack, *steps: tuple[str, str]) -> None:
    """Types each text once the screen shows what comes before it."""
    for shown, text in steps:
        rack.console().wait_for(shown, 60)
        rack.console().send(text)


def use(rack: Rack) -> None:
    """Makes traces of use: a camera, a new password, a log of alarms."""
    add = ["rackeye", "camera", "add", "lobby", "rtsp://10.0.2.2:8554/none"]
    rack.wait_until(lambda: rack.exec(add).rc == 0, 90, "the recorder takes a camera")
    change_password(rack)
    rack.sh("mkdir -p /etc/ssh && echo key > /etc/ssh/ssh_host_test_key")


def use_at_menu(rack: Rack) -> None:
    """The same while no daemon runs."""
    if traces(rack) != TRACES:
        rack.sh("printf '[recorder]\\nsegment_seconds = 30\\n' > /var/lib/rackeye/settings.toml")
        change_password(rack)
        rack.sh("mkdir -p /etc/ssh && echo key > /etc/ssh/ssh_host_test_key; sync")


def change_password(rack: Rack) -> None:
    """The administrator's first one."""
    rack.sh(
        "cd / && /usr/lib/rackeye/bin/python -c \"from core.accounts import Accounts; from core.paths import Paths; "
        "Accounts(Paths()).change_password('admin', 'admin', 'three quiet words', 'console')\""
    )


def traces(rack: Rack) -> list[str]:
    """What is left of it."""
    files = "/var/lib/rackeye/settings.toml /etc/ssh/ssh_host_test_key"
    found = rack.sh(f"for f in {files}; do if [ -e $f ]; then echo $f; fi; done").split()
    login = rack.exec([
        "/usr/lib/rackeye/bin/python", "-c",
        "from core.accounts import Accounts; from core.paths import Paths; "
        "assert Accounts(Paths()).authenticate('admin', 'admin', 'rig').must_change",
    ])
    return found + (["accounts"] if login.rc else [])


def machine_id(rack: Rack) -> str:
    return rack.sh("cat /etc/machine-id")


def restore_at_menu(rack: Rack, password: str) -> str:
    """From the menu to the `y` of entry 1; the last question."""
    choose(rack, ("Arrows", "1\r"), ("User name:", "admin\r"), ("Password of admin:", f"{password}\r"))
    shown = rack.console().wait_for("Restore now?", 60)
    rack.console().send("y\r")
    return shown


def make_video(rack: Rack) -> None:
    """A virtual drive with a file on it."""
    rack.wait_until(lambda: rack.exec(["rackeye", "vd", "create", "--simple", "--yes"], 60).rc == 0, 60, "vd0")
    rack.wait_until(lambda: rack.sh("mountpoint -q /srv/rackeye/vd0; echo yes"), 120, "the volume")
    rack.sh(f"install -d $(dirname {VIDEO}); head -c 300000 /dev/urandom > {VIDEO}; sync")


def restore_with_a_cut(rack: Rack, seconds: float) -> str:
    """Restores at the menu and cuts the power so long after the `y`; how it ended. Whatever happened, it is whole."""
    at_menu(rack)
    use_at_menu(rack)
    restore_at_menu(rack, "three quiet words")
    time.sleep(seconds)
    open_menu(rack)
    now, left = record(rack), traces(rack)
    told = rack.journal(30, "-u", "rackeye-boot-menu")
    assert now is None or (now.mode, now.intent) == (Mode.STANDARD, Intent.NONE)
    assert left in ([], TRACES)
    if left:  # the cut came before the intent was on the drive: nothing was touched
        assert "it is finished now" not in told
        return "untouched"
    return "finished at the next start" if "it is finished now" in told else "done before the cut"


def switch_with_a_cut(rack: Rack, seconds: float) -> Mode:
    """The same for the switch; the mode it ended in, at the menu."""
    at_menu(rack)
    choose(rack, ("Arrows", "4\r"), ("This is one-way", "y\r"))
    time.sleep(seconds)
    shown = open_menu(rack)
    now = record(rack)
    mode = now.mode if now else Mode.STANDARD
    assert now is None or now.intent is Intent.NONE
    assert mode.value in shown.splitlines()[0]
    assert (re.search(r"V[0-9.]+R", shown) is not None) == (mode is Mode.FAILOVER)
    return mode


def back_to_standard(rack: Rack) -> None:
    """From the menu in Failover Mode to the menu in Standard Mode."""
    boot = boot_id(rack)
    restore_at_menu(rack, "admin")
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    assert "Standard Mode" in hold(rack)
