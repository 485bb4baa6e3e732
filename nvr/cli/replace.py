"""`rackeye drive replace`: leads a person through the replacement of a drive; each step waits for what is seen."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from dataclasses import replace as changed

import click
from rich.text import Text

from core.bus import Sentence
from core.errors import NoSuchDrive, RackeyeError, WorkFailed
from hw.model import LocateRequest, PanelSnapshot
from nvr.cli import confirm
from nvr.cli.client import PANEL, RAID, View
from nvr.cli.output import can_redraw, clean, console, document, print_json
from nvr.cli.progress import Shower, Step, give_up, shower
from nvr.cli.replace_steps import Case, Stage, Standing, begin, lost_by, presence, stand, warnings
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from raid.model import ClearDriveRequest, Done, Drive
from raid.model_clear import ClearPlan


@click.command(epilog=examples("rackeye drive replace --bay 3", "rackeye drive replace --bay 3 --yes --json"))
@click.option("--bay", type=click.IntRange(min=0), required=True, help="The bay of the drive.")
@yes_option
@json_option
@pass_session
@click.pass_context
def command(ctx: click.Context, session: Session, *, bay: int, yes: bool) -> None:
    """Lead through the replacement of the drive in a bay.

    Says what may be lost, makes the tray blink, waits for the pull (and says it when the wrong drive was pulled), waits
    for the new drive, and follows the rebuild. Ctrl-C leaves it; the same command finds it again.

    A new drive that holds data is cleared only after its serial was typed: --yes does not clear, nor does --json, which
    prints a line at each change.
    """
    view = session.client.look(RAID, PANEL)
    case = begin(bay, view.of(RAID).data, _panel(view))
    said = warnings(case, view.of(RAID).data)
    if not session.as_json:
        _introduce(case, said)
    if not case.out:
        confirm.agreed(session, f"Replace the drive in bay {bay}?", yes=yes)
        if lost := lost_by(case, view.of(RAID).data):
            places = " and ".join(f"bay {one}" for one in lost)
            confirm.agreed(session, f"Pull bay {bay} though what {places} lacks is LOST with it?", yes=yes)
    wizard = _Wizard(session, case, said)
    try:
        with _blinking(session, case) as light:
            last = wizard.run(light)
    except KeyboardInterrupt:
        wizard.left()
        ctx.exit(0 if wizard.working else 1)
    if last.stage is Stage.FAILED:
        raise WorkFailed(last.text, hint="rackeye vd shows what to do.")


def _panel(view: View) -> PanelSnapshot | None:
    answer = view.of(PANEL)
    return None if answer.envelope is None or answer.error is not None else answer.envelope.data


def _introduce(case: Case, said: tuple[str, ...]) -> None:
    drive = f"{clean(case.model) or 'model unknown'}, serial {clean(case.serial) or 'unknown'}"
    state = "" if case.out else f", {case.was}"
    click.echo(f"Bay {case.bay}: {drive}{state}{', of ' + case.vd if case.vd else ''}.")
    for sentence in said:
        click.echo(clean(sentence))


class _Light:
    """The locate light of the bay, on while the person has to find it."""

    def __init__(self, session: Session, bay: int) -> None:
        self._session, self._bay = session, bay
        self._on: bool | None = None
        self.trouble = ""

    def switch(self, *, on: bool) -> None:
        """A chassis without lights, or a panel that is gone, does not stop the replacement."""
        if self._on is on:
            return
        try:
            self._session.client.call(PANEL, "Locate", LocateRequest(self._bay, on), Sentence)
            self.trouble = ""
        except RackeyeError as error:
            self.trouble = f"The tray of bay {self._bay} cannot blink: {error.sentence}"
        self._on = on


@contextmanager
def _blinking(session: Session, case: Case) -> Iterator[_Light]:
    light = _Light(session, case.bay)
    try:
        yield light
    finally:
        light.switch(on=False)


_NEEDS_LIGHT = (Stage.PULL, Stage.WRONG, Stage.INSERT, Stage.CLEAR, Stage.UNFIT)


@dataclass(slots=True)
class _Wizard:
    """The loop: a look, a judgement, what is said of it. offered: serials of drives that were not to be cleared."""

    session: Session
    case: Case
    warned: tuple[str, ...]
    working: bool = False
    _said: tuple[Stage, str] | None = None
    _line: object = None
    _offered: set[str] = field(default_factory=set)
    _gone_since: float | None = None

    def run(self, light: _Light) -> Standing:
        """Until it is done, or cannot be. Raises KeyboardInterrupt when the person leaves it."""
        out = self.case.out
        with ExitStack() as stack:
            bar: Shower | None = None
            for view in self.session.client.watch(RAID, PANEL):
                if not self._answers(view):
                    continue
                raid, panel = view.of(RAID).data, _panel(view)
                self._remember_neighbours(presence(raid, panel), raid.drives)
                out = out or self._is_out(presence(raid, panel), raid.drives)
                now = stand(self.case, raid, panel, out=out)
                light.switch(on=now.stage in _NEEDS_LIGHT)
                self.working = now.stage is Stage.REBUILD
                shows = self.working or (now.stage is Stage.HOLD and now.progress is not None)
                if bar is not None and not shows:
                    stack.pop_all().close()
                    bar = None
                self._say(now, light)
                if shows and not self.session.as_json:
                    bar = bar or stack.enter_context(shower(self.session))
                    bar.show((Step(f"Bay {self.case.bay}", now.text if now.progress else "it begins", now.progress),))
                if now.stage in (Stage.DONE, Stage.FAILED):
                    return now
                if now.stage is Stage.CLEAR and now.drive is not None:
                    self._clear(now.drive)
        raise KeyboardInterrupt  # the watch itself has ended

    def left(self) -> None:
        """What goes on, and how to find it again; on stderr."""
        on = "The rebuild goes on. " if self.working else ""
        again = f"To find it again: rackeye drive replace --bay {self.case.bay}"
        click.echo(f"\n{on}Bay {self.case.bay} does not blink any more. {again}", err=True)

    def _answers(self, view: View) -> bool:
        answer = view.of(RAID)
        if answer.error is None and answer.envelope is not None:
            self._gone_since = None
            return True
        self._gone_since = self._gone_since or self.session.clock.monotonic()
        give_up(self.session, answer, self._gone_since)
        if not self.session.as_json and self._said != (Stage.HOLD, "gone"):
            self._said = (Stage.HOLD, "gone")
            click.echo("rackeye-raidd is not there. Pull nothing; waiting for it.")
        return False

    def _is_out(self, there: dict[int, bool], drives: tuple[Drive, ...]) -> bool:
        """The bay is seen empty, or with another drive: it was changed between two looks."""
        if there.get(self.case.bay) is False:
            return True
        serials = {drive.serial for drive in drives if drive.bay == self.case.bay and drive.device is not None}
        return bool(serials) and bool(self.case.serial) and self.case.serial not in serials

    def _remember_neighbours(self, there: dict[int, bool], drives: tuple[Drive, ...]) -> None:
        """A drive that is put into another bay meanwhile counts from then on; its loss would be a wrong pull too."""
        serials = {drive.bay: drive.serial for drive in drives if drive.device is not None}
        known = dict(self.case.present)
        for bay, full in there.items():
            if full and bay != self.case.bay:
                known[bay] = serials.get(bay) or known.get(bay, "")
        self.case = changed(self.case, present=tuple(sorted(known.items())))

    def _say(self, now: Standing, light: _Light) -> None:
        if self.session.as_json:
            about = {
                "bay": self.case.bay, "stage": now.stage, "sentence": now.text, "loud": now.loud, "vd": self.case.vd,
                "progress": now.progress, "drive": now.drive, "locate_trouble": light.trouble or None,
                "ended": now.stage in (Stage.DONE, Stage.FAILED), "warnings": self.warned,
            }
            if about != self._line:
                self._line = about
                print_json(document(self.session, about), line=True)
            return
        if (now.stage, now.text) == self._said:
            return
        if light.trouble and self._said is None:
            click.echo(clean(light.trouble))
        if self._said is not None and self._said[0] is Stage.WRONG and now.stage is not Stage.WRONG:
            click.echo("The drive is back in its bay.")
        self._said = (now.stage, now.text)
        if now.stage is not Stage.FAILED:
            _tell(now)

    def _clear(self, drive: Drive) -> None:
        """Asks once for each drive. Without a terminal nobody is asked, and nothing is cleared."""
        key = drive.serial or drive.device or ""
        if self.session.as_json or key in self._offered:
            return
        self._offered.add(key)
        if not may_ask():
            click.echo(f"To clear it: rackeye drive clear --bay {self.case.bay}. Or put in a blank drive.")
            return
        request = ClearDriveRequest(self.case.bay, drive.serial)
        try:
            plan = self.session.client.call(RAID, "PlanClear", request, ClearPlan)
            if plan.refusal:
                click.echo(f"It cannot be cleared: {clean(plan.refusal)}")
            elif self._agrees(drive, plan):
                click.echo(clean(self.session.client.call(RAID, "ClearDrive", request, Done).sentence))
        except NoSuchDrive as error:  # pulled while the question stood there
            click.echo(clean(error.sentence))

    def _agrees(self, drive: Drive, plan: ClearPlan) -> bool:
        """The person typed its serial."""
        lost = f"Everything on the drive in bay {self.case.bay} will be lost for good when it is cleared."
        click.echo(f"{lost} {clean(plan.loses)}")
        word = drive.serial or f"bay {self.case.bay}"
        try:
            answer = click.prompt(
                f"To clear it type its serial ({clean(word)}); Enter leaves it as it is", default="", show_default=False
            )
        except click.Abort:
            raise KeyboardInterrupt from None
        if str(answer).strip() != word:
            click.echo("It is left as it is. Put in a blank drive, or begin again to clear it.")
            return False
        return True


def may_ask() -> bool:
    """Whether a person sits at the input."""
    return sys.stdin.isatty()


def _tell(now: Standing) -> None:
    """A line; what must be done at once in red, with the terminal's bell."""
    if not now.loud:
        click.echo(clean(now.text))
    elif can_redraw():
        console().print(Text(clean(now.text), "bold white on red"))
        click.echo("\a", nl=False)
    else:
        click.echo(f"!!! {clean(now.text)}")
