"""Network and time for real: systemd-networkd and timesyncd; what nobody confirms is undone."""

import time

import pytest

from boot.model import BoxSnapshot
from rig.daemons import snapshot
from rig.rack import Rack
from tests.rig.boot_rig import up

pytestmark = [pytest.mark.rig, pytest.mark.rack(drives=0)]
SET = ["rackeye", "network", "set", "dummy0", "--yes", "--seconds", "12", "--address"]


def box(rack: Rack) -> BoxSnapshot:
    return snapshot(rack, "Box1", BoxSnapshot)


def address(rack: Rack) -> str:
    return rack.sh("ip -4 -br address show dummy0")


def interface(rack: Rack) -> None:
    """A network of its own: the tests themselves come by the other one."""
    up(rack)
    rack.sh("ip link show dummy0 >/dev/null 2>&1 || { modprobe dummy numdummies=0; ip link add dummy0 type dummy; }")


@pytest.fixture(scope="module")
def networkd(rack: Rack) -> None:
    """The rack masks what it does not need; a real box does not."""
    units = "systemd-networkd.service systemd-networkd.socket systemd-timesyncd.service"
    rack.sh(f"cd /etc/systemd/system; rm -f {units}; systemctl daemon-reload")
    interface(rack)


@pytest.mark.usefixtures("networkd")
def test_an_address_that_nobody_confirms_is_undone(rack: Rack) -> None:
    rack.exec([*SET, "10.9.0.5/24"], 60, check=True)
    began = time.monotonic()
    rack.wait_until(lambda: "10.9.0.5/24" in address(rack), 20, "the address")
    rack.wait_until(lambda: box(rack).undo_of == "dummy0", 5, "boxd tells it")
    assert box(rack).networks[0].address == "10.9.0.5/24"
    assert rack.exec([*SET, "10.9.0.6/24"], 30).rc == 1, "one change at a time"
    rack.wait_until(lambda: "10.9.0.5" not in address(rack), 40, "it is undone")
    assert time.monotonic() - began > 8
    rack.wait_until(lambda: box(rack).networks == (), 5, "boxd tells it")
    assert "Nobody confirmed" in rack.journal(30, "-u", "rackeye-boxd")


def test_a_confirmed_one_stays_and_a_cut_before_that_undoes(rack: Rack) -> None:
    rack.exec([*SET, "10.9.0.7/24", "--gateway", "10.9.0.1"], 60, check=True)
    rack.exec(["rackeye", "network", "confirm"], 30, check=True)
    rack.wait_until(lambda: "10.9.0.7/24" in address(rack), 20, "the address")
    assert "default via 10.9.0.1 dev dummy0" in rack.sh("ip route")
    assert rack.exec(["rackeye", "network", "confirm"], 30).rc == 1
    assert "confirmed the network of dummy0" in rack.sh("rackeye account log --json")
    rack.exec([*SET, "10.9.0.8/24"], 60, check=True)
    rack.wait_until(lambda: "10.9.0.8/24" in address(rack), 20, "the other address")
    rack.power_cut()
    rack.boot()
    interface(rack)
    rack.wait_until(lambda: box(rack).networks and box(rack).networks[0].address == "10.9.0.7/24", 30, "it is undone")
    rack.wait_until(lambda: "10.9.0.7/24" in address(rack), 30, "the confirmed address")
    assert "10.9.0.8" not in address(rack)


def test_an_address_by_dhcp_and_what_is_said_when_nobody_answers(rack: Rack) -> None:
    """The server is systemd-networkd's own, at the other end of a virtual cable inside the rack."""
    rack.sh("modprobe veth; ip link add lan0 type veth peer name lan1; ip link set lan1 up; ip link set lan0 up")
    rack.exec(["rackeye", "network", "set", "lan0", "--yes", "--dhcp", "--seconds", "300"], 60, check=True)
    rack.wait_until(lambda: [one for one in box(rack).problems if "lan0 gets its address by DHCP" in one], 60, "said")
    assert "no DHCP server answers" in rack.sh("rackeye network")
    server = "[Match]\nName=lan1\n[Network]\nAddress=10.77.0.1/24\nDHCPServer=yes\n[DHCPServer]\nPoolOffset=50\n"
    rack.sh("mkdir -p /run/systemd/network")
    rack.exec(["tee", "/run/systemd/network/04-server.network"], stdin=server, check=True)
    rack.sh("networkctl reload; networkctl reconfigure lan1")
    rack.wait_until(lambda: leased(rack), 90, "the lease")
    rack.wait_until(lambda: not [said for said in box(rack).problems if "DHCP" in said], 10, "nothing is said any more")
    rack.exec(["rackeye", "network", "confirm"], 30, check=True)
    assert "10.77.0." in rack.sh("rackeye network")
    rack.sh("ip link delete lan0; rm /run/systemd/network/04-server.network; rackeye network undo || true")


def leased(rack: Rack) -> bool:
    """boxd shows the address; it looks as soon as the kernel tells of it."""
    mine = [one for one in box(rack).interfaces if one.name == "lan0"]
    return bool(mine) and any(address.startswith("10.77.0.") for address in mine[0].addresses)


def test_name_zone_servers_and_clock(rack: Rack) -> None:
    rack.sh("rackeye network name front-door; rackeye time set --zone Europe/Berlin")
    assert rack.sh("hostname; cat /etc/hostname; readlink /etc/localtime").split() == [
        "front-door", "front-door", "/usr/share/zoneinfo/Europe/Berlin",
    ]
    rack.sh("rackeye time set --ntp 10.0.2.2")
    assert "NTP=10.0.2.2" in rack.sh("systemd-analyze cat-config systemd/timesyncd.conf")
    rack.wait_until(lambda: rack.sh("systemctl is-active systemd-timesyncd").strip() == "active", 20, "timesyncd")
    later = "2027-03-01T12:00:00"
    refused = rack.exec(["rackeye", "time", "set", "--utc", later])
    assert (refused.rc, "BOOT-023" in refused.stderr) == (1, True)
    rack.sh(f"rackeye time set --no-ntp; rackeye time set --utc {later}")
    assert rack.sh("date -u +%Y-%m-%dT%H").strip() == "2027-03-01T12"
    assert box(rack).time.zone == "Europe/Berlin"
