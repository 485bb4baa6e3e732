from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pyudev

from core.errors import UdevSilent
from core.paths import Paths
from hw import bays, profile
from hw.bays import Occupant
from hw.chassis import Bay, Match, Profile


@dataclass(frozen=True)
class Device:
    device_node: str | None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gone:
    device_node: str | None = "/dev/sdz"

    @property
    def properties(self) -> Mapping[str, str]:
        raise pyudev.DeviceNotFoundAtPathError("/sys/block/sdz")


@dataclass(frozen=True)
class Drives:
    found: tuple[bays.BlockDevice, ...]

    def drives(self) -> Iterator[bays.BlockDevice]:
        yield from self.found


def with_match(match: Match) -> Profile:
    return Profile("box", "A box", ((3,),), bays=(Bay(3, match),))


@pytest.mark.parametrize(
    ("match", "words"),
    [
        (Match(parent="tcm_loop_adapter_3"), 'KERNELS=="tcm_loop_adapter_3"'),
        (Match(hctl="2:0:1:0"), 'KERNELS=="2:0:1:0"'),
        (Match(scsi_host=7), 'KERNELS=="host7"'),
        (Match(id_path="pci-0000:01:00.0-nvme-1"), 'ENV{ID_PATH}=="pci-0000:01:00.0-nvme-1"'),
        (
            Match(id_path="pci-0000:00:1f.2-ata-3.0"),
            'ENV{ID_PATH}=="pci-0000:00:1f.2-ata-3|pci-0000:00:1f.2-ata-3.0"',
        ),
    ],
)
def test_rule_of_a_bay(match: Match, words: str) -> None:
    rules = bays.udev_rules(with_match(match)).splitlines()
    assert f'{words}, ENV{{RACKEYE_BAY}}="3", SYMLINK+="disk/by-bay/3"' in rules


def test_a_backplane_comes_with_the_bay() -> None:
    left = Profile("box", "A box", ((3,),), bays=(Bay(3, Match(scsi_host=7), backplane="left"),))
    assert 'ENV{RACKEYE_BAY}="3", ENV{RACKEYE_BACKPLANE}="left", SYMLINK' in bays.udev_rules(left)


def test_rules_leave_remove_alone_and_name_partitions() -> None:
    rules = bays.udev_rules(profile.load("virtual-8", Paths()))
    lines = [line for line in rules.splitlines() if line and not line.startswith("#")]
    assert lines[1] == 'ACTION=="remove", GOTO="rackeye_bays_end"'
    assert lines[-1] == 'LABEL="rackeye_bays_end"'
    assert 'SYMLINK+="disk/by-bay/$env{RACKEYE_BAY}-part%n"' in rules
    assert sum("KERNELS" in line for line in lines) == 8


def test_generic_gives_no_rule() -> None:
    rules = bays.udev_rules(profile.load("generic", Paths()))
    assert all(line.startswith("#") for line in rules.splitlines())


def test_occupants() -> None:
    found = bays.occupants(
        Drives(
            (
                Device(
                    "/dev/sdb", {"RACKEYE_BAY": "3", "ID_SCSI_SERIAL": "SN3", "ID_SERIAL": "3600", "ID_MODEL": "X "}
                ),
                Device("/dev/sda", {"RACKEYE_BAY": "1", "ID_SERIAL_SHORT": "SN1"}),
                Device("/dev/sdc", {"ID_SERIAL_SHORT": "system"}),
                Device("/dev/sdd", {"RACKEYE_BAY": "?"}),
                Device("/dev/sde", {"RACKEYE_BAY": "4", "RACKEYE_DISKSEQ": "20", "DISKSEQ": "29"}),  # the one before
                Gone(),
            )
        )
    )
    assert found == (Occupant(1, "/dev/sda", "SN1", None), Occupant(3, "/dev/sdb", "SN3", "X"))


def test_without_udevs_database_nothing_is_called_empty(tmp_path: Path) -> None:
    with pytest.raises(UdevSilent, match="udev has no database"):
        bays.occupants(bays.Udev(tmp_path))


def test_rules_that_are_not_installed_or_of_another_profile(tmp_path: Path) -> None:
    rack = profile.load("virtual-8", Paths())
    assert "are not installed" in (bays.rules_problem(rack, tmp_path) or "")
    file = tmp_path / "usr/lib/udev/rules.d/60-rackeye-bays.rules"
    file.parent.mkdir(parents=True)
    file.write_text(bays.udev_rules(rack))
    assert bays.rules_problem(rack, tmp_path) is None
    over = tmp_path / "etc/udev/rules.d/60-rackeye-bays.rules"
    over.parent.mkdir(parents=True)
    over.write_text("# empty\n")
    assert "is not of the profile virtual-8" in (bays.rules_problem(rack, tmp_path) or "")
    assert bays.rules_problem(profile.load("generic", Paths()), tmp_path) is None
