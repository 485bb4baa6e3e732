"""`rackeye panel`: Information LED, warning LED and beeper of the chassis."""

import click
from rich.console import Group, RenderableType

from core.bus import Nothing, Sentence
from hw.chassis import PanelRole
from hw.model import InformationLight, LampMode, PanelSnapshot, UidRequest
from nvr.cli.client import PANEL, View
from nvr.cli.output import UNKNOWN, notes, origin, pairs, problems, say, show
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option

LIGHTS = {
    InformationLight.OFF: "off",
    InformationLight.PSU: "red, one blink in 4 s: a power supply is missing or bad",
    InformationLight.FAN: "red, one blink a second: a fan has failed",
    InformationLight.OVERHEAT: "red: too hot",
    InformationLight.UID_REMOTE: "blue, one blink a second: this is the box (set by command)",
    InformationLight.UID_PRESSED: "blue: this is the box (button pressed)",
}


class PanelGroup(NounGroup):
    """`rackeye panel` alone shows it."""

    default = "show"


def _information(panel: PanelSnapshot) -> str:
    """In a lamp test both of its colours are on, which is no light of spec/panel.md."""
    if panel.information is not None:
        return LIGHTS[panel.information]
    both = (PanelRole.INFORMATION_RED, PanelRole.INFORMATION_BLUE)
    lamps = [led.lamp for led in panel.leds if led.role in both]
    return "red and blue" if lamps and set(lamps) == {LampMode.ON} else UNKNOWN


def _facts(panel: PanelSnapshot) -> RenderableType:
    beeper, holding = panel.beeper, panel.conditions
    held = [name for name, on in (("overheat", holding.overheat), ("fan", holding.fan), ("power", holding.psu)) if on]
    return pairs([
        ("Information LED", _information(panel)),
        ("Warning LED", UNKNOWN if panel.warning is None else "on" if panel.warning else "off"),
        ("UID", panel.uid.value.lower()),
        ("Conditions", ", ".join(held) or "none"),
        ("Beeper", UNKNOWN if beeper.sound is None else beeper.sound.value.lower()),
        ("Code", "-" if beeper.code is None else f"{beeper.code}, then {len(beeper.queue)} more"),
        ("Heard", ", ".join(beeper.heard) or "-"),
        ("Silenced", ", ".join(beeper.silenced) or "-"),
        ("policyd", "silent: nobody watches over the chassis" if panel.policy_silent else "answers"),
        *([("Restore", "to default begins within a minute: any button ends it")] if panel.restoring else []),
        ("Lamp test", "on" if panel.lamp_test else "off"),
    ])


@click.group(cls=PanelGroup)
def command() -> None:
    """The lights and the beeper of the chassis."""


@command.command("show", epilog=examples("rackeye panel", "rackeye panel show --json", "rackeye panel --watch"))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, watch: bool) -> None:
    """What the Information LED, the warning LED and the beeper do, and why (`rackeye panel` alone does this)."""

    def render(view: View) -> RenderableType:
        answer = view.of(PANEL)
        return Group(*notes(PANEL, answer, view.at), _facts(answer.data), *problems(answer.data.problems))

    def to_json(view: View) -> dict[str, object]:
        return {"panel": view.of(PANEL).data, "origin": origin(view.of(PANEL), view.at)}

    show(session, (PANEL,), render, to_json, watch=watch)


@command.command("lamp-test", epilog=examples("rackeye panel lamp-test"))
@json_option
@pass_session
def lamp_test(session: Session) -> None:
    """Every LED on for 10 s: one that stays dark is broken."""
    say(session, session.client.call(PANEL, "LampTest", Nothing(), Sentence).text)


@command.command(epilog=examples("rackeye panel silence"))
@json_option
@pass_session
def silence(session: Session) -> None:
    """No sound until something new happens. Alarms and lights stay as they are."""
    say(session, session.client.call(PANEL, "Silence", Nothing(), Sentence).text)


@command.command(epilog=examples("rackeye panel uid on", "rackeye panel uid off"))
@click.argument("switch", type=click.Choice(["on", "off"]))
@json_option
@pass_session
def uid(session: Session, switch: str) -> None:
    """Blink the Information LED blue, so that a person at the rack finds this box."""
    say(session, session.client.call(PANEL, "Uid", UidRequest(switch == "on"), Sentence).text)
