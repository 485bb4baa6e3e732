"""What the tests of modes, restore and switch share: the menu by hand, traces of use, and cuts at a moment."""

import time

from boot.model import BoxSnapshot, Intent, Mode
from rig.daemons import snapshot
from rig.rack import Rack

VIDEO = "/srv/rackeye/vd0/recordings/cam1/keep.mp4"


def box(rack: Rack) -> BoxSnapshot:
    return snapshot(rack, "Box1", BoxSnapshot)


def up(rack: Rack) -> BoxSnapshot:
    """Waits for boxd; returns what it says."""
    return rack.wait_until(lambda: box(rack), 120, "boxd")


def boot_id(rack: Rack) -> str:
    return rack.sh("cat /proc/sys/kernel/random/boot_id")


def state_of(rack: Rack, unit: str) -> str:
    return rack.exec(["systemctl", "is-active", unit]).stdout.strip()


def open_menu(rack: Rack) -> None:
    """Boots into the menu and stops its countdown."""
    rack.power_cut()
    rack.boot(whole=False)
    rack.wait_until(lambda: stopped(rack), 60, "the menu")


def stopped(rack: Rack) -> bool:
    console = rack.console()
    if "Any key stops the countdown" in console.screen():
        console.send("x")
    return "Arrows or a digit" in console.screen()


def choose(rack: Rack, *steps: tuple[str, str]) -> None:
    """Types each text once the screen shows what comes before it."""
    for shown, text in steps:
        rack.console().wait_for(shown, 60)
        rack.console().send(text)


def use(rack: Rack) -> None:
    """Makes traces of use: a camera, a new password, a log of alarms."""
    add = ["rackeye", "camera", "add", "lobby", "rtsp://10.0.2.2:8554/none"]
    rack.wait_until(lambda: rack.exec(add).rc == 0, 90, "the recorder takes a camera")
    rack.sh(
        "cd / && /usr/lib/rackeye/bin/python -c \"from core.accounts import Accounts; from core.paths import Paths; "
        "Accounts(Paths()).change_password('admin', 'admin', 'three quiet words', 'console')\""
    )
    rack.sh("mkdir -p /etc/ssh && echo key > /etc/ssh/ssh_host_test_key")


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


def back_to_standard(rack: Rack) -> None:
    open_menu(rack)
    boot = boot_id(rack)
    choose(rack, ("Arrows", "1\r"), ("User name:", "admin\r"), ("Password of admin:", "admin\r"),
           ("Restore now?", "y\r"))
    rack.wait_until(lambda: boot_id(rack) != boot, 120, "the reboot")
    assert up(rack).mode is Mode.STANDARD


def make_video(rack: Rack) -> None:
    """A virtual drive with a file on it."""
    rack.wait_until(lambda: rack.exec(["rackeye", "vd", "create", "--simple", "--yes"], 60).rc == 0, 60, "vd0")
    rack.wait_until(lambda: rack.sh("mountpoint -q /srv/rackeye/vd0; echo yes"), 120, "the volume")
    rack.sh(f"install -d $(dirname {VIDEO}); head -c 300000 /dev/urandom > {VIDEO}; sync")


def restore_with_a_cut(rack: Rack, seconds: float) -> str:
    """Restores at the menu and cuts the power so long after the `y`; how it ended. Whatever happened, it is whole."""
    up(rack)
    use(rack)
    open_menu(rack)
    choose(rack, ("Arrows", "1\r"), ("User name:", "admin\r"), ("Password of admin:", "three quiet words\r"),
           ("Restore now?", "y\r"))
    time.sleep(seconds)
    rack.power_cut()
    rack.boot()
    now = up(rack)
    left = traces(rack)
    told = rack.journal(30, "-u", "rackeye-boot-menu")
    assert (now.mode, now.intent) == (Mode.STANDARD, Intent.NONE)
    assert left in ([], ["/var/lib/rackeye/settings.toml", "/etc/ssh/ssh_host_test_key", "accounts"])
    if left:  # the cut came before the intent was on the drive: nothing was touched
        assert "it is finished now" not in told
        rack.sh("rm -f /var/lib/rackeye/settings.toml /etc/ssh/ssh_host_test_key")
        rack.sh("rm -rf /var/lib/rackeye/accounts/*; systemctl restart rackeye-boxd")
    rack.wait_until(lambda: rack.sh(f"test -e {VIDEO}; echo yes"), 120, "the volume")
    if left:
        return "untouched"
    return "finished at the next start" if "it is finished now" in told else "done before the cut"


def switch_with_a_cut(rack: Rack, seconds: float) -> Mode:
    """The same for the switch; the mode it ended in. Afterwards it is Standard Mode."""
    open_menu(rack)
    choose(rack, ("Arrows", "4\r"), ("This is one-way", "y\r"))
    time.sleep(seconds)
    rack.power_cut()
    rack.boot()
    now = up(rack)
    assert (now.intent, now.state_damaged) == (Intent.NONE, False)
    assert now.version.endswith("R") == (now.mode is Mode.FAILOVER)
    if now.mode is Mode.FAILOVER:
        back_to_standard(rack)
    return now.mode
