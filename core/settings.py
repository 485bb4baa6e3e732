"""What a person can set, with the shipped defaults."""

import re
from dataclasses import dataclass, field
from enum import StrEnum, unique

ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()]+")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Chassis:
    """profile: a name in hw/profiles or the path of a file. sysfs: the tree of LEDs and sensors (the rack's simulator
    serves one of its own)."""

    profile: str = "generic"
    sysfs: str = "/sys"


@dataclass(frozen=True, slots=True)
class Rates:
    """How much of what the drives can do is kept for each kind of work while others use them too, per cent
    (docs/design/spares.md, "Rates")."""

    rebuild: int = 30
    initialization: int = 30
    check: int = 30
    reconstruction: int = 30
    patrol: int = 30

    def __post_init__(self) -> None:
        for kind in ("rebuild", "initialization", "check", "reconstruction", "patrol"):
            if not 1 <= getattr(self, kind) <= 100:
                raise ValueError(f"{kind} must be from 1 to 100 per cent.")


@dataclass(frozen=True, slots=True)
class Care:
    """check_days: a consistency check of each virtual drive every so many days, 0: only by hand; patrol_days: the same
    for the patrol read over all drives. quiet_from, quiet_until: hours of the local time in which they run (equal:
    always). How much of the drives they take is in the rates."""

    check_days: float = 7.0
    patrol_days: float = 7.0
    quiet_from: int = 1
    quiet_until: int = 5

    def __post_init__(self) -> None:
        if not (0 <= self.check_days <= 365 and 0 <= self.patrol_days <= 365):
            raise ValueError("check_days and patrol_days must be from 0 (never by itself) to 365.")
        if not (0 <= self.quiet_from <= 23 and 0 <= self.quiet_until <= 23):
            raise ValueError("quiet_from and quiet_until must be hours, 0 to 23.")


@dataclass(frozen=True, slots=True)
class Raid:
    """settle_seconds: a new drive is left alone so long (spec/raid.md: 10 s).
    sync_speed_min: md's lower limit for all its work, KiB/s a member; 0: by the rates.
    copyback: data goes back to the failed drive's bay once a new drive is there, and the spare is a spare again.
    care: work that comes by itself.
    smart_seconds: each drive is asked for its S.M.A.R.T. figures so often, and when it comes."""

    settle_seconds: float = 10.0
    sync_speed_min: int = 0
    copyback: bool = True
    rates: Rates = Rates()
    care: Care = Care()
    smart_seconds: float = 1800.0

    def __post_init__(self) -> None:
        if not 60 <= self.smart_seconds <= 86400:
            raise ValueError("smart_seconds must be from 60 to 86400.")


@dataclass(frozen=True, slots=True)
class Recorder:
    """segment_seconds: length of a file. reserve_percent: free space of a volume below which the oldest goes.
    dead_seconds: a camera that sends no frame so long is frozen."""

    segment_seconds: float = 300.0
    reserve_percent: float = 5.0
    dead_seconds: float = 8.0

    def __post_init__(self) -> None:
        if not 2 <= self.segment_seconds <= 3600:
            raise ValueError("segment_seconds must be from 2 to 3600.")
        if not 1 <= self.reserve_percent <= 50:
            raise ValueError("reserve_percent must be from 1 to 50.")
        if not 2 <= self.dead_seconds <= 60:
            raise ValueError("dead_seconds must be from 2 to 60.")


@dataclass(frozen=True, slots=True)
class Boot:
    """menu_seconds: countdown of the boot menu (0: no menu). consoles: names below /dev; empty: those of the kernel."""

    menu_seconds: float = 10.0
    consoles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.menu_seconds <= 600:
            raise ValueError("menu_seconds must be from 0 to 600.")
        for name in self.consoles:
            if not re.fullmatch(r"[A-Za-z0-9]{1,32}", name):
                raise ValueError(f"{name!r} is no console: give names below /dev, such as ttyS0.")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera by its RTSP URL; the credentials stand apart, so that the URL can be shown."""

    name: str
    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    volume: str | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"the name {self.name!r} must be of a-z, 0-9 and -, 32 characters at most.")
        if not self.url.startswith("rtsp://") or "@" in self.url.split("/")[2] or not self.url.isprintable():
            raise ValueError(f"the URL of {self.name} must begin with rtsp:// and hold no user and password.")


@unique
class Tls(StrEnum):
    """How a mail server is reached: NONE in the clear, STARTTLS (587), TLS from the first byte (465)."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Mail:
    """Where alarms are mailed; without a host they are not. port 0: the usual one of `tls`. sender: the From address.
    verify: whether the server's certificate must be good."""

    host: str = ""
    port: int = 0
    tls: Tls = Tls.STARTTLS
    verify: bool = True
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be from 0 to 65535.")
        if self.host and (not self.to or not self.sender):
            raise ValueError("a mail needs `sender` (the From address) and `to` (a list of addresses).")
        for address in (*self.to, *([self.sender] if self.sender else [])):
            if not ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no mail address.")

    @property
    def port_in_force(self) -> int:
        return self.port or {Tls.NONE: 25, Tls.STARTTLS: 587, Tls.TLS: 465}[self.tls]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alarms are POSTed as JSON; without a URL they are not. token: sent as a bearer token."""

    url: str = ""
    token: str = field(default="", repr=False)
    verify: bool = True

    def __post_init__(self) -> None:
        if self.url and (not self.url.startswith(("http://", "https://")) or not self.url.isprintable()):
            raise ValueError("the URL of the webhook must begin with http:// or https://.")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it; every key has a default, so that an empty file is a good one."""

    chassis: Chassis = Chassis()
    raid: Raid = Raid()
    recorder: Recorder = Recorder()
    boot: Boot = Boot()
    mail: Mail = Mail()
    webhook: Webhook = Webhook()
    cameras: tuple[Camera, ...] = ()

    def __post_init__(self) -> None:
        names = [camera.name for camera in self.cameras]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two cameras have the name {', '.join(twice)}.")
