"""What any program of ours can meet: settings, processes, the bus, jobs."""

from core.errors.base import RackeyeError

# -- configuration ----------------------------------------------------------------------------------------------------


class ConfigError(RackeyeError):
    """A profile or a settings file that cannot be used."""


class BadToml(ConfigError):
    code = "CONF-001"
    meaning = (
        "The file is not valid TOML: often it was cut off in the middle of a write by another program, or a quote or "
        "bracket is missing. The last good settings stay in force. Mend the line named in the message, or remove the "
        "file to go back to the settings below it."
    )


class UnknownKey(ConfigError):
    code = "CONF-002"
    meaning = (
        "The file has a key that nothing reads, most often a spelling mistake. It is refused so that a setting is "
        "never silently without effect. The message lists the keys that are known at this place."
    )


class WrongType(ConfigError):
    code = "CONF-003"
    meaning = "A value has another type than the key wants, such as text in place of a number."


class MissingKey(ConfigError):
    code = "CONF-004"
    meaning = "A key that has no default is missing."


class Unreadable(ConfigError):
    code = "CONF-005"
    meaning = "The file is missing or may not be read by this process."


class Unwritable(ConfigError):
    code = "CONF-007"
    meaning = (
        "The settings cannot be written: the system drive is full or read-only, or the file was made by another user "
        "(an editor run as root). Give /var/lib/rackeye/settings.toml to the user rackeye. Nothing was changed."
    )


class BadValue(ConfigError):
    code = "CONF-006"
    meaning = "A value has the right type but cannot be meant: out of range, or in contradiction to another key."


# -- processes --------------------------------------------------------------------------------------------------------


class RunError(RackeyeError):
    """A process that could not do its work."""


class CommandMissing(RunError):
    code = "RUN-001"
    meaning = "A program that Rackeye needs is not installed. `make setup` or the Debian package named brings it."


class CommandFailed(RunError):
    code = "RUN-002"
    meaning = "A program ended with an error. The message holds the command, ready to paste, and its last words."


class CommandTimedOut(RunError):
    code = "RUN-003"
    meaning = (
        "A program that only reads did not answer in time: often a drive that hangs. Programs that change something "
        "are never ended by a time-out."
    )


# -- bus --------------------------------------------------------------------------------------------------------------


class BusError(RackeyeError):
    """A daemon could not be asked."""


class DaemonGone(BusError):
    code = "BUS-001"
    meaning = "The daemon that owns this does not run or does not answer. `systemctl status` of its unit says why."


class NotAllowed(BusError):
    code = "BUS-002"
    meaning = "Reading is open to every user of the appliance; commands that change something need root (sudo)."


class BadRequest(BusError):
    code = "BUS-003"
    meaning = "A command reached a daemon with a missing, unknown or wrong argument."


class BadReply(BusError):
    code = "BUS-004"
    meaning = "A daemon answered with something this program does not know: their versions differ. Restart both."


class BusMissing(BusError):
    code = "BUS-005"
    meaning = "The system's D-Bus cannot be reached: not on an appliance, or dbus.service is down."


# -- jobs -------------------------------------------------------------------------------------------------------------


class JobError(RackeyeError):
    """A long mutation cannot be started or followed."""


class JobRunning(JobError):
    code = "JOB-001"
    meaning = "Only one change at a time is made to an array. Wait for the running one, or look at it in `rackeye vd`."


class JobRecordBroken(JobError):
    code = "JOB-002"
    meaning = "The record of a job cannot be read. The array itself is looked at instead; nothing is started twice."


class MemoryUnwritable(RackeyeError):
    code = "MEM-001"
    meaning = (
        "A daemon cannot write what it must remember: the system drive is full or read-only. Nothing is begun that "
        "would be forgotten at a power cut, so no rebuild starts by itself either. `df -h /var/lib/rackeye` and "
        "`journalctl -k` say why."
    )


# -- the rest ---------------------------------------------------------------------------------------------------------


class InternalError(RackeyeError):
    code = "INT-001"
    meaning = "A defect in Rackeye itself. The journal of the daemon has the details; please report it."


class UnknownCode(RackeyeError):
    code = "INT-002"
    meaning = "`rackeye explain` was asked for a code that does not exist. `rackeye explain` alone lists them all."
