"""What the installation keeps Debian's own mdadm from doing."""

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def installed(root: Path) -> None:
    """As `make install` does it, under another root."""
    subprocess.run(["sh", CHECKOUT / "systemd/install.sh", root, "generic"], check=True, timeout=120)


def test_arrays_are_assembled_by_raidd_alone_and_checked_by_nobody_else(tmp_path: Path) -> None:
    before = "# mdadm Debian configuration\nAUTOCHECK=true\nAUTOSCAN=true\nVERBOSE=false\n"
    defaults = tmp_path / "etc/default/mdadm"
    defaults.parent.mkdir(parents=True)
    defaults.write_text(before)
    rule = tmp_path / "etc/udev/rules.d/64-md-raid-assembly.rules"
    rule.parent.mkdir(parents=True)
    rule.symlink_to("/dev/null")  # as an older Rackeye left it
    installed(tmp_path)
    installed(tmp_path)
    # /usr/share/initramfs-tools/hooks/mdadm copies it only if it is a file; else the initramfs has Debian's own.
    assert rule.is_file()
    assert not rule.is_symlink()
    assert [line for line in rule.read_text().splitlines() if not line.startswith("#")] == []
    assert defaults.read_text() == before.replace("AUTOCHECK=true\nAUTOSCAN=true", "AUTOCHECK=false\nAUTOSCAN=false")
