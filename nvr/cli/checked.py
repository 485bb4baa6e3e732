"""The result of a check or a repair of a virtual drive, and how far one is that was just started."""

from nvr.cli.progress import Step
from raid.model import CheckResult, RaidSnapshot, Work


def result_of(data: RaidSnapshot, name: str) -> CheckResult | None:
    """The last one."""
    return next((check for check in data.checks if check.vd == name), None)


def judge(name: str, work: Work, before: CheckResult | None, data: RaidSnapshot) -> Step:
    """work: CHECK or REPAIR. It is done when there is another result than `before`."""
    vd = next((vd for vd in data.virtual_drives if vd.name == name), None)
    if vd is None:
        return Step(name, "gone", failed="The virtual drive is gone.")
    if vd.progress is not None and vd.progress.kind is work:
        return Step(name, work.value, vd.progress)
    result = result_of(data, name)
    if result is not None and result != before:
        return Step(name, str(result.verdict), done=True)
    return Step(name, f"the {work.value.lower()} begins")
