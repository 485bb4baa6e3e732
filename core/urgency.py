"""A thread that waits for no other: it has real time where the kernel gives it (sched(7)), else the best nice value."""

import os
from contextlib import suppress


def before_all_others(priority: int) -> str:
    """For the calling thread; what it starts is not so. Returns why it has no real time, or nothing.

    priority: among threads of real time, 1 to 99. A container without CAP_SYS_NICE refuses it, and so does a kernel
    with RT_GROUP_SCHED, in whose control groups nobody has set aside time for it (User Mode Linux 6.12 of Debian 13).
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
            os.setpriority(os.PRIO_PROCESS, 0, -20)
        return error.strerror or str(error)
    return ""
