"""`rackeye network`: addresses and the name of the appliance."""

import click
from rich.console import Group, RenderableType

from boot.model import BoxSnapshot, Interface, InterfaceSettings, NetworkRequest, SetHostnameRequest, SetNetworkRequest
from core.accounts_model import COMMAND_LINE, person
from core.bus import Sentence
from core.units import human_seconds
from nvr.cli.client import View
from nvr.cli.confirm import agreed
from nvr.cli.mode import BOX
from nvr.cli.output import clean, known, notes, origin, pairs, problems, say, show, table
from nvr.cli.session import Session
from nvr.cli.shape import NounGroup, examples, json_option, pass_session, watch_option, yes_option


class NetworkGroup(NounGroup):
    """`rackeye network` alone shows it."""

    default = "show"


@click.group(cls=NetworkGroup)
def command() -> None:
    """Addresses and the name of the appliance."""


def _set_words(one: InterfaceSettings | None) -> str:
    if one is None:
        return "-"
    how = "DHCP" if one.dhcp else f"{one.address}{f' gateway {one.gateway}' if one.gateway else ''}"
    return clean(f"{how}{f' DNS {chr(32).join(one.dns)}' if one.dns else ''}")


def _row(one: Interface, settings: dict[str, InterfaceSettings]) -> tuple[str, ...]:
    state = {True: "up", False: "down", None: "???"}[one.up]
    return (clean(one.name), state, clean(one.mac), clean(" ".join(one.addresses) or "-"),
            _set_words(settings.get(one.name)))


def _facts(box: BoxSnapshot, now: float) -> RenderableType:
    settings = {one.name: one for one in box.networks}
    waits = "" if box.undo_at is None else (
        f"The change of {clean(box.undo_of)} is undone in {human_seconds(max(0.0, box.undo_at - now))} unless you say: "
        "rackeye network confirm"
    )
    rows = [_row(one, settings) for one in box.interfaces]
    return Group(
        *([waits] if waits else []), *problems(box.problems), pairs([("Name", known(box.hostname))]),
        table(("Interface", "State", "MAC", "Addresses", "Set"), rows),
    )


@command.command("show", epilog=examples("rackeye network", "rackeye network show --json"))
@json_option
@watch_option
@pass_session
def show_(session: Session, *, watch: bool) -> None:
    """Interfaces, addresses, what was set, and the name (`rackeye network` alone does this)."""

    def render(view: View) -> RenderableType:
        answer = view.of(BOX)
        return Group(*notes(BOX, answer, view.at), _facts(answer.data, view.at))

    def to_json(view: View) -> dict[str, object]:
        box = view.of(BOX).data
        return {
            "hostname": box.hostname, "interfaces": box.interfaces, "networks": box.networks, "undo_at": box.undo_at,
            "undo_of": box.undo_of, "box": origin(view.of(BOX), view.at),
        }

    show(session, (BOX,), render, to_json, watch=watch)


@command.command("set", epilog=examples(
    "rackeye network set eth0 --address 192.168.1.10/24 --gateway 192.168.1.1 --dns 192.168.1.1",
    "rackeye network set eth0 --dhcp --seconds 120",
))
@click.argument("interface")
@click.option("--dhcp", is_flag=True, help="Address, gateway and DNS servers by DHCP.")
@click.option("--address", default="", help="Address with prefix length, such as 192.168.1.10/24.")
@click.option("--gateway", default="", help="Where other networks are reached.")
@click.option("--dns", multiple=True, help="A DNS server; may be given several times.")
@click.option("--seconds", default=60.0, show_default=True, help="It is undone after these unless it is confirmed.")
@yes_option
@json_option
@pass_session
def set_(
    session: Session, *, interface: str, dhcp: bool, address: str, gateway: str, dns: tuple[str, ...], seconds: float,
    yes: bool,
) -> None:
    """Set an interface. It is in force at once, and is undone unless `rackeye network confirm` follows in time."""
    wanted = InterfaceSettings(interface, dhcp, address, gateway, dns)
    agreed(session, f"Set {clean(interface)} to {_set_words(wanted)}? A connection through it may end.", yes=yes)
    request = SetNetworkRequest(wanted, seconds, person(), COMMAND_LINE)
    say(session, session.client.call(BOX, "SetNetwork", request, Sentence).text)


@command.command(epilog=examples("rackeye network confirm"))
@json_option
@pass_session
def confirm(session: Session) -> None:
    """The new addresses work: keep them."""
    say(session, session.client.call(BOX, "ConfirmNetwork", NetworkRequest(person(), COMMAND_LINE), Sentence).text)


@command.command(epilog=examples("rackeye network undo"))
@json_option
@pass_session
def undo(session: Session) -> None:
    """Put back what was before the last change, now."""
    say(session, session.client.call(BOX, "UndoNetwork", NetworkRequest(person(), COMMAND_LINE), Sentence).text)


@command.command(epilog=examples("rackeye network name front-door"))
@click.argument("name")
@json_option
@pass_session
def name(session: Session, *, name: str) -> None:
    """Set the name of the appliance."""
    request = SetHostnameRequest(name, person(), COMMAND_LINE)
    say(session, session.client.call(BOX, "SetHostname", request, Sentence).text)
