"""The virtual rack."""

from core.errors.base import RackeyeError


class RigError(RackeyeError):
    """The virtual rack."""


class RackAbsent(RigError):
    code = "RIG-001"
    meaning = "No virtual rack of this name is up, or its power is cut. `rackeye-rack up` starts one, `boot` powers it."


class RackExists(RigError):
    code = "RIG-002"
    meaning = (
        "A virtual rack of this name is up already. Use it, end it with `rackeye-rack down`, or give another --name."
    )


class RackBroken(RigError):
    code = "RIG-003"
    meaning = (
        "The virtual rack could not be built or its kernel ended. The message ends with what was last said: by "
        "bubblewrap when the sandbox could not be made, by the kernel when the guest did not come up."
    )


class RackTimeout(RigError):
    code = "RIG-004"
    meaning = "Something in the virtual rack did not happen in time: the boot, a command, or what a test waited for."


class RackRefused(RigError):
    code = "RIG-005"
    meaning = (
        "The virtual rack cannot do this now, for instance pull a drive from an empty bay. The message says why."
    )
