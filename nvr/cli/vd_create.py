"""`rackeye vd create`, simple and full: the plan as a table, a question, the making with a bar."""

import re

import click
from rich.console import Group, RenderableType
from rich.text import Text

from core.errors import NoSuchVd, WorkFailed
from core.units import human_bytes
from nvr.cli import confirm
from nvr.cli.client import RAID
from nvr.cli.output import clean, console, document, known, plain, print_json, size, table
from nvr.cli.progress import Step, follow
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from raid.model import JobState, RaidSnapshot, VdState, level_text
from raid.model_plan import CreateSimpleReply, CreateSimpleRequest, Plan, PlannedVd, PlanSimpleRequest

LEVELS = ("0", "00", "1", "5", "6", "10", "50", "60")
KIB = 1024


class Strip(click.ParamType[int]):
    """Bytes of a strip: 64K, 256K, 1M; a power of two from 64 KiB to 1 MiB (spec/raid.md, "Terms")."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+)\s*([KM]?)(iB)?", value.strip(), re.IGNORECASE)
        count = int(match[1]) * {"K": KIB, "M": KIB * KIB, "": 1}[match[2].upper()] if match else 0
        if not 64 * KIB <= count <= KIB * KIB or count & (count - 1):
            self.fail(f"{value!r} is no strip: one of 64K, 128K, 256K, 512K, 1M.", param, ctx)
        return count


class Capacity(click.ParamType[int]):
    """Bytes as drives are sold (500G, 2T: powers of ten) or counted (500GiB); "rest": 0."""

    name = "size"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value.strip().lower() == "rest":
            return 0
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT])(iB|B)?", value.strip(), re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is no capacity: write 500G, 2T, 1.5T, 500GiB, or rest.", param, ctx)
        base = 1024 if (match[3] or "").lower() == "ib" else 1000
        return int(float(match[1]) * base ** ("MGT".index(match[2].upper()) + 2))


class Bays(click.ParamType[tuple[int, ...]]):
    """Bays as people write them: 0-3,5."""

    name = "bays"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        bays: list[int] = []
        for part in value.split(","):
            match = re.fullmatch(r"\s*(\d{1,4})(?:-(\d{1,4}))?\s*", part)
            if match is None:
                self.fail(f"{value!r} names no bays: write them as 0-3,5.", param, ctx)
            bays += range(int(match[1]), int(match[2] or match[1]) + 1)
        if len(set(bays)) != len(bays) or not bays:
            self.fail(f"{value!r} names a bay twice, or none.", param, ctx)
        return tuple(bays)


def plan_text(plan: Plan) -> RenderableType:
    """What a plan would make: each group with its drives, what comes out, and what to think of first."""
    parts: list[RenderableType] = []
    for vd in plan.vds:
        part = ("Part",) if _part(vd, 0) else ()
        parts += [Text(clean(_title(vd)), "bold"), table(
            ("Bay", *part, "Model", "Serial", "Capacity"),
            (
                [str(drive.bay), *([_part(vd, at)] if part else []), known(drive.model), known(drive.serial),
                 size(drive.size)]
                for at, drive in enumerate(vd.drives)
            ),
            right=("Bay", "Capacity"),
        ), Text("")]
    parts += [
        Text(clean(f"Hot spare: bay {drive.bay}, {drive.model} {drive.serial}, {size(drive.size)}"))
        for drive in plan.spares
    ]
    parts += [Text(f"Warning: {clean(warning)}", "yellow") for warning in plan.warnings]
    parts += [Text(f"WOULD BE LOST: {clean(lost)}", "bold red") for lost in plan.erased]
    parts += [
        Text(clean(f"Not used: bay {drive.bay}, {drive.model} {drive.serial}, {size(drive.size)}"))
        for drive in plan.unused
    ]
    return Group(*parts)


def _title(vd: PlannedVd) -> str:
    spans = f" in {vd.spans} spans" if vd.spans else ""
    drives = "1 drive" if len(vd.drives) == 1 else f"{len(vd.drives)} drives"
    log = "; with a partial parity log" if vd.ppl else ""
    shares = f"; in drive group {vd.group}, which has {human_bytes(vd.left)} left then" if vd.group else ""
    return (
        f"{vd.name}: {level_text(vd.level, vd.spans)} over {drives}{spans}, {human_bytes(vd.capacity)} usable, "
        f"{survives(vd)}; strip {vd.strip // KIB} KiB, stripe {vd.stripe // KIB} KiB{log}{shares}"
    )


def survives(vd: PlannedVd) -> str:
    """What may be lost, in words."""
    drives = f"the loss of {vd.tolerance} drive{'' if vd.tolerance == 1 else 's'}"
    if not vd.tolerance:
        return "survives no loss"
    if vd.spans:
        return f"survives {drives} in each span ({vd.tolerance * vd.spans} in all at most)"
    if vd.level in (1, 10) and len(vd.drives) > 2:
        return f"survives {drives} of each mirror pair"
    return f"survives {drives}"


def _part(vd: PlannedVd, slot: int) -> str:
    """The span or the mirror pair that a slot would be in; empty without such."""
    if vd.spans:
        return f"span {slot // (len(vd.drives) // vd.spans) + 1}"
    return f"pair {slot // 2 + 1}" if vd.level in (1, 10) and len(vd.drives) > 2 else ""


def _of_group(session: Session, name: str) -> tuple[int, int]:
    """Level and strip of a drive group. Raises NoSuchVd."""
    groups = session.client.look(RAID).of(RAID).data.groups
    found = next((group for group in groups if group.name == name), None)
    if found is None:
        there = ", ".join(group.name for group in groups if group.shared) or "none that can be shared"
        raise NoSuchVd(f"There is no drive group {name}; there is: {there}.", hint="rackeye group")
    return found.level, found.strip


def judge(names: tuple[str, ...], data: RaidSnapshot) -> tuple[Step, ...]:
    """How the making of each virtual drive stands: done when it is Optimal, mounted, and nothing is left to do."""
    return tuple(_judge_one(name, data) for name in names)


def _judge_one(name: str, data: RaidSnapshot) -> Step:
    vd = next((vd for vd in data.virtual_drives if vd.name == name), None)
    jobs = [job for job in data.jobs if job.vd in (name, vd.group if vd is not None and vd.group else name)]
    failed = next((job for job in jobs if job.state is JobState.FAILED), None)
    if failed is not None:
        return Step(name, "failed", failed=failed.error or f"{failed.kind} failed.")
    busy = any(job.state is JobState.RUNNING for job in jobs)
    if vd is None:
        return Step(name, "being made")
    if vd.progress is not None:
        return Step(name, str(vd.progress.kind), vd.progress)
    if vd.state is VdState.FAILED and not busy:
        return Step(name, "failed", failed=f"{vd.state}. {vd.detail}".strip())
    if busy or vd.mountpoint is None:
        return Step(name, vd.detail or "being made")
    if vd.state is VdState.OPTIMAL:
        return Step(name, f"Optimal, mounted at {vd.mountpoint}", done=True)
    return Step(name, str(vd.state), failed=f"{vd.state}. {vd.detail}".strip())


@click.command(epilog=examples(
    "rackeye vd create --simple --level 5 --dry-run", "rackeye vd create --simple --level 5",
    "rackeye vd create --simple --level 5 --count 1 --spares 1",
    "rackeye vd create --simple --level 5 --count 1 --bays 0-3 --strip 128K --yes --no-wait",
    "rackeye vd create --level 60 --bays 0-7 --spans 2 --strip 128K --dry-run",
    "rackeye vd create --level 5 --bays 0-3 --size 2T", "rackeye vd create --group dg0 --size rest",
    "rackeye vd create --level 5 --bays 0-3 --ppl",
))
@click.option("--simple", is_flag=True, help="Divide the blank drives that are there; what does not fit is left over.")
@click.option("--level", type=click.Choice(LEVELS), help="RAID level.  [default: 5, or the drive group's]")
@click.option("--spans", type=click.IntRange(2, 8), help="Equal groups that 00, 50 and 60 stripe over.  [default: 2]")
@click.option("--name", default="", help="Of the one virtual drive.  [default: the next free one of vd0, vd1, ...]")
@click.option(
    "--count", type=click.IntRange(min=1), help="Number of virtual drives.  [default: 2 from eight drives on, else 1]"
)
@click.option(
    "--spares", type=click.IntRange(min=0), default=0,
    help="With --simple: so many of the largest drives become hot spares.  [default: 0]",
)
@click.option("--strip", type=Strip(), help="Part of a stripe on one drive.  [default: 256K, or the drive group's]")
@click.option("--size", type=Capacity(), help="Part of the drives' capacity: 500G, 2T, rest.  [default: all]")
@click.option(
    "--ppl", is_flag=True, help="RAID5, 50: a partial parity log closes the write hole; slower, no bitmap, no growth.",
)
@click.option("--group", default="", help="In this drive group, beside what is there: dg0.")
@click.option("--bays", type=Bays(), default=(), help="Only these bays, such as 0-3,5.  [default: all blank drives]")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("--no-wait", is_flag=True, help="Return at once; `rackeye vd --watch` shows how far it is.")
@yes_option
@json_option
@pass_session
def create(
    session: Session, *, simple: bool, level: str | None, count: int | None, strip: int | None, bays: tuple[int, ...],
    spans: int | None, name: str, size: int | None, group: str, spares: int, ppl: bool, dry_run: bool, no_wait: bool,
    yes: bool,
) -> None:
    """Make virtual drives from blank drives: shows the plan, asks, makes them, waits until they are initialized.

    With --simple it divides the blank drives; without, it makes one virtual drive of exactly the --bays that are named,
    in their order (mirror pairs and spans are neighbours in it). Only blank drives are taken; drives that hold data are
    left alone (`rackeye drive clear`). With --size the drives become a drive group, in which more virtual drives of the
    same level can be made with --group; `rackeye group` shows what is free.
    """
    if group and (simple or bays):
        raise click.UsageError("In a drive group it has the group's drives: leave --bays and --simple out.")
    if not simple and not bays and not group:
        raise click.UsageError("Name the bays (--bays 0-3), or let --simple divide the blank drives.")
    if level == "00" and spans is None:
        spans = 2
    own_level, own_strip = _of_group(session, group) if group else (5, 256 * KIB)
    wish = PlanSimpleRequest(
        own_level if level is None else int(level), count, own_strip if strip is None else strip, bays, spans or 0,
        full=not simple, name=name, size=size or 0, group=group, spares=spares, ppl=ppl,
    )
    plan = session.client.call(RAID, "PlanSimple", wish, Plan)
    if not session.as_json:
        console().print(plan_text(plan))
    if dry_run:
        if session.as_json:
            print_json(document(session, {"plan": plain(plan), "created": [], "finished": False}))
        return
    confirm.agreed(session, f"Make {' and '.join(vd.name for vd in plan.vds)}?", yes=yes)
    reply = session.client.call(RAID, "CreateSimple", CreateSimpleRequest(wish, plan.fingerprint), CreateSimpleReply)
    if not session.as_json:
        click.echo(f"Being made: {clean(', '.join(reply.names))}.")
    steps = None if no_wait else follow(session, lambda data: judge(reply.names, data))
    broken = [f"{step.name}: {step.failed}" for step in steps or () if step.failed]
    if broken:
        raise WorkFailed(" ".join(broken), hint="rackeye vd shows how it stands now.")
    if session.as_json:
        finished = steps is not None
        print_json(document(session, {"plan": plain(plan), "created": reply.names, "finished": finished}))
