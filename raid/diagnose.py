"""Which drives are asked at once what they say of themselves: members that err, and those that md put out. Pure.

spec/raid.md: Shield, being diagnosed after an error. What they answer makes the state (derive_drives.py).
"""

from dataclasses import replace

from raid.actions import AskSmart
from raid.memory import Erred, Memory
from raid.scene import Scene

AGAIN = 60.0
"""Seconds, at the least, between two such questions to a drive that errs on and on."""


def diagnose(before: Memory, scene: Scene) -> tuple[Memory, list[AskSmart]]:
    """before: the memory of the last look. Returns the scene's, with the errors that are known by now."""
    known = {one.diskseq: one for one in before.fleeting.erred}
    erred, asked = [], []
    for disk in scene.world.disks:
        member = scene.world.member_of(disk)
        if member is None:
            continue
        one = known.get(disk.diskseq, Erred(disk.diskseq, member.errors))
        if member.errors > one.errors and scene.now - one.asked >= AGAIN:
            one = Erred(disk.diskseq, member.errors, scene.now)
            asked.append(AskSmart(disk.name, disk.bay, disk.serial, f"could not read at {member.errors} places so far"))
        erred.append(replace(one, errors=min(one.errors, member.errors)))  # less: it is a member of another array now
    told = {failed.serial for failed in before.failed}
    failed = (scene.world.by_serial(one.serial) for one in scene.memory.failed if one.serial not in told)
    asked += [AskSmart(disk.name, disk.bay, disk.serial, "was put out by md") for disk in failed if disk is not None]
    fleeting = replace(scene.memory.fleeting, erred=tuple(erred))
    return replace(scene.memory, fleeting=fleeting), asked
