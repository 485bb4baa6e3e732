"""What udev's database says of a drive, in the properties that Rackeye reads and those that its rules write.

The database is kept by device number, and the next drive may get the number of the one that was pulled. Until udev has
come to the new one's event, which took two seconds on a busy machine, the old one's bay and serial stand there. So the
rules write down which arrival an entry is of (the kernel's diskseq, Documentation/ABI/testing/sysfs-block), and
`of_an_earlier_drive` compares.
"""

from collections.abc import Mapping

BAY = "RACKEYE_BAY"
BACKPLANE = "RACKEYE_BACKPLANE"
ARRIVAL = "RACKEYE_DISKSEQ"
"""The diskseq of the drive that the entry was made for."""


def of_an_earlier_drive(properties: Mapping[str, str]) -> bool:
    """The entry was made for another drive, which had this device number before. An entry by rules that write no
    arrival is taken as it is."""
    arrival = properties.get(ARRIVAL)
    return arrival is not None and arrival != properties.get("DISKSEQ", "")


def serial(properties: Mapping[str, str]) -> str:
    """The drive's own serial, "" when it gives none: the unit serial of SCSI first, since ID_SERIAL there is the
    world-wide name."""
    return _first(properties, "ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL")


def model(properties: Mapping[str, str]) -> str:
    """The model, "" when it gives none; udev has put `_` in place of spaces."""
    return _first(properties, "ID_MODEL").replace("_", " ").strip()


def _first(properties: Mapping[str, str], *keys: str) -> str:
    return next((value for key in keys if (value := properties.get(key, "").strip())), "")
