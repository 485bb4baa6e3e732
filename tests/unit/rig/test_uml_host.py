"""What rig/uml_host.c does for a kernel whose alarm was dropped, asked for as the kernel asks (os_idle_sleep)."""

import os
import subprocess
import sys

from rig.kernel import PRELOAD

IDLE = """
import ctypes, signal, sys, time

class Spec(ctypes.Structure):
    _fields_ = [("every", ctypes.c_long * 2), ("left", ctypes.c_long * 2)]

libc, timer, none = ctypes.CDLL(None), ctypes.c_void_p(), (ctypes.c_long * 2)(0, 0)
came = []
signal.signal(signal.SIGALRM, lambda number, frame: came.append(number))
assert libc.timer_create(time.CLOCK_MONOTONIC, None, ctypes.byref(timer)) == 0

def set_alarm(seconds):
    spec = Spec(none, (ctypes.c_long * 2)(0, int(seconds * 1e9)))
    assert libc.timer_settime(timer, 0, ctypes.byref(spec), None) == 0

def look():
    spec = Spec()
    assert libc.timer_gettime(timer, ctypes.byref(spec)) == 0
    time.sleep(0.02)
    return len(came)

for alarm in (0.001, 0):  # one that comes and is forgotten by the kernel, and none at all
    set_alarm(alarm)
    time.sleep(0.02)
    print([look() for _ in range(5)])
"""


def test_an_alarm_that_was_dropped_comes_once_more() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IDLE], env={**os.environ, "LD_PRELOAD": str(PRELOAD)},
        capture_output=True, text=True, check=True,
    )
    dropped, none = done.stdout.splitlines()
    assert dropped == "[1, 2, 2, 3, 3]", "not at the first look: the kernel may be about to set it"
    assert none == "[3, 3, 3, 3, 3]"
    assert done.stderr == "rack: a dropped alarm comes once more\n" * 2
