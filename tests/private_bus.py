"""A dbus-daemon of a test's own, on a socket that nobody else knows."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

RULES = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <deny send_interface="org.rackeye.Test1.Admin" send_member="Forbidden"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True, slots=True)
class Bus:
    """A running dbus-daemon."""

    process: subprocess.Popen[bytes]


@pytest.fixture(name="bus")
def private_bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    folder = Path(tempfile.mkdtemp(prefix="bus"))  # tmp_path can be longer than a socket's address may be (108 bytes)
    socket, rules = folder / "bus", folder / "bus.conf"
    rules.write_text(RULES.format(socket=socket))
    process = subprocess.Popen(
        ["dbus-daemon", f"--config-file={rules}", "--nofork", "--print-address"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"unix:")  # it listens
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={socket}")
        yield Bus(process)
    finally:
        process.kill()
        process.communicate()
        shutil.rmtree(folder)
