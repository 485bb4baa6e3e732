"""The layer that makes the host's files a recorder: laid over them, read-only, in the guest.

systemd/install.sh puts in what a real box gets (units, rules, users, bus policy); the rest here is what a rack needs
instead of a machine: its own units, quiet settings, and links to /dev/null for what the host would start.
"""

from __future__ import annotations

import shutil
import sys
from ctypes.util import find_library
from pathlib import Path

from core.run import run

CHECKOUT = Path(__file__).resolve().parent.parent
PROFILE, CHASSIS = "virtual-8", "/run/rack/chassis"
ROOMS = ("core", "raid", "hw", "boot", "nvr", "rig")
GENERATORS = Path("/usr/lib/systemd/system-generators")
UNITS = CHECKOUT / "rig/guest/units"

MASKED = """
systemd-networkd.service systemd-networkd.socket systemd-resolved.service systemd-timesyncd.service
systemd-update-utmp.service systemd-random-seed.service systemd-boot-system-token.service systemd-sysusers.service
systemd-logind.service systemd-user-sessions.service systemd-remount-fs.service systemd-machine-id-commit.service
systemd-firstboot.service systemd-hwdb-update.service systemd-journal-catalog-update.service ldconfig.service
systemd-update-done.service systemd-journal-flush.service systemd-binfmt.service systemd-modules-load.service
systemd-pstore.service systemd-sysctl.service kmod-static-nodes.service systemd-tmpfiles-clean.timer
systemd-ask-password-console.path systemd-ask-password-wall.path systemd-initctl.socket
proc-sys-fs-binfmt_misc.automount dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
sys-kernel-config.mount sys-fs-fuse-connections.mount getty.target timers.target keyboard-setup.service
console-setup.service apparmor.service smartmontools.service mdadm-shutdown.service multipathd.service
multipathd.socket lvm2-monitor.service lvm2-lvmpolld.socket modprobe@loop.service modprobe@dm_mod.service
systemd-tmpfiles-setup-dev.service blk-availability.service nfs-client.target
remote-fs.target networking.service ifupdown-pre.service procps.service
"""

# Only the bays' drives: the whole coldplug takes 7.8 s for 685 devices (facts/rig.md).
COLDPLUG = """[Service]
ExecStart=
ExecStart=-udevadm trigger --action=add --subsystem-match=block --sysname-match=sd*
"""
# All of the host's lists take 1.5 s; these make what Rackeye and its tools need.
TMPFILES = """[Service]
ExecStart=
ExecStart=systemd-tmpfiles --create --boot rackeye.conf legacy.conf var.conf
"""
JOURNAL = "[Journal]\nStorage=volatile\nRuntimeMaxUse=24M\nRateLimitIntervalSec=0\nForwardToConsole=no\n"
# Drives settle at once, files are short, a check has the drives for itself and none comes unasked: a story of minutes
# shows what takes hours.
SETTINGS = f"""[chassis]
profile = "{PROFILE}"
sysfs = "{CHASSIS}"

[raid]
settle_seconds = 1

[raid.rates]
check = 100

[raid.care]
check_days = 0
patrol_days = 0

[recorder]
segment_seconds = 20
"""
# Without consoles nobody wants a menu; with one wanted, the panel would beep that there is none.
NO_MENU = "\n[boot]\nmenu_seconds = 0\n"
# The checkout is the program here, and may lie below /tmp, /root or /home.
REACHABLE = "[Service]\nPrivateTmp=no\nProtectHome=no\n"
# A rack's daemon that hangs shall be seen, not waited for.
MANAGER = "[Manager]\nDefaultTimeoutStartSec=180s\nDefaultTimeoutStopSec=15s\nShowStatus=no\n"


def build_layer(
    layer: Path, *, daemons: bool, consoles: tuple[str, ...] = (), menu_seconds: float = 10.0,
    without: tuple[str, ...] = (),
) -> None:
    """Fills `layer`. daemons: whether nvr.target is part of the boot. consoles: where the boot menu is shown.
    without: units that are not started.

    Raises RunError when the installation fails.
    """
    layer.mkdir(parents=True, exist_ok=True)
    # Else every daemon of a fresh clone compiles what it imports, in the guest, where that is slow.
    run([sys.executable, "-m", "compileall", "-q", *(str(CHECKOUT / room) for room in ROOMS)], ok=(0, 1))
    names = ", ".join(f'"{name}"' for name in consoles)
    menu = f"\n[boot]\nmenu_seconds = {menu_seconds}\nconsoles = [{names}]\n" if consoles else NO_MENU
    _write(layer / "etc/rackeye/rackeye.toml", SETTINGS + menu)
    run([str(CHECKOUT / "systemd/install.sh"), str(layer), PROFILE, CHASSIS])
    program = layer / "usr/local/sbin/smartctl"  # before the real one in every PATH of systemd's
    _write(program, (CHECKOUT / "rig/guest/smartctl").read_text())
    program.chmod(0o755)
    _write(layer / "etc/fstab", "")
    _write(layer / "etc/hostname", "rack\n")
    _write(layer / "etc/machine-id", "ac" * 16 + "\n")
    _write(layer / "etc/resolv.conf", "")
    _write(layer / "etc/systemd/journald.conf.d/rack.conf", JOURNAL)
    _write(layer / "etc/systemd/system.conf.d/rack.conf", MANAGER)
    _write(layer / "etc/systemd/system/systemd-udev-trigger.service.d/rack.conf", COLDPLUG)
    _write(layer / "etc/systemd/system/rackeye-web.service.d/rack.conf", REACHABLE)
    _write(layer / "etc/systemd/system/systemd-tmpfiles-setup.service.d/rack.conf", TMPFILES)
    for unit in (*MASKED.split(), *without):
        link = layer / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    fuse = find_library("fuse3") or "libfuse3.so.3"  # libfuse3.so.4 on Debian 13
    for source in UNITS.iterdir():
        text = source.read_text().replace("@CHECKOUT@", str(CHECKOUT)).replace("@FUSE@", fuse)
        _write(layer / "etc/systemd/system" / source.name, text)
    wanted = ["rack-ready.service", *(["nvr.target"] if daemons else [])]
    for unit in wanted:
        where = "/usr/lib/systemd/system" if unit == "nvr.target" else "/etc/systemd/system"
        link = layer / "etc/systemd/system/rack.target.wants" / unit
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(f"{where}/{unit}")
    # Each is a process to start, and finds nothing for a rack.
    (layer / "etc/systemd/system-generators").mkdir(parents=True)
    for generator in GENERATORS.iterdir():
        (layer / "etc/systemd/system-generators" / generator.name).symlink_to("/dev/null")
    _modules(layer)
    _users(layer)
    for folder in ("var/lib/systemd", "var/log", "var/cache", "var/spool", "newroot", "srv", "mnt"):
        (layer / folder).mkdir(parents=True, exist_ok=True)
    (layer / "var/tmp").mkdir(mode=0o1777, exist_ok=True)
    for name, target in (("var/run", "/run"), ("var/lock", "/run/lock")):
        (layer / name).symlink_to(target)


def _modules(layer: Path) -> None:
    """modprobe in the guest looks below /lib/modules; the kernel's lie below /usr/lib/uml/modules."""
    folder = layer / "usr/lib/modules"
    folder.mkdir(parents=True, exist_ok=True)
    for version in Path("/usr/lib/uml/modules").iterdir():
        (folder / version.name).symlink_to(version)


def _users(layer: Path) -> None:
    """The host's users and ours. Made here and not at each boot: it takes a second there."""
    for name in ("passwd", "group", "shadow", "gshadow"):
        shutil.copy2(f"/etc/{name}", layer / "etc" / name)
    run(["systemd-sysusers", f"--root={layer}", str(layer / "usr/lib/sysusers.d/rackeye.conf")])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
