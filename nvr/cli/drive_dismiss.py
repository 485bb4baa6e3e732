"""`rackeye drive dismiss`: a drive that is gone leaves the picture."""

import click

from core.errors import NoSuchDrive
from nvr.cli import confirm
from nvr.cli.client import RAID
from nvr.cli.output import clean, say
from nvr.cli.session import Session
from nvr.cli.shape import examples, json_option, pass_session, yes_option
from raid.model import DismissDriveRequest, Done, DriveState


@click.command(epilog=examples("rackeye drive", "rackeye drive dismiss --bay 3"))
@click.option("--bay", type=click.IntRange(min=0), required=True, help="The bay that the drive is missing from.")
@yes_option
@json_option
@pass_session
def dismiss(session: Session, *, bay: int, yes: bool) -> None:
    """Take the drive that is Missing from a bay out of the picture, with its alarm: it will not come back.

    The virtual drive stays degraded until another drive is rebuilt. Should it come back after all, it is seen again.
    """
    data = session.client.look(RAID).of(RAID).data
    drive = next((one for one in data.drives if one.bay == bay and one.state is DriveState.MISSING), None)
    if drive is None:
        raise NoSuchDrive(f"No drive is missing from bay {bay}.", hint="rackeye drive shows what is missing.")
    name = f"{clean(drive.model)} {clean(drive.serial)}"
    confirm.agreed(session, f"Take {name}, missing from bay {bay}, out of the picture?", yes=yes)
    request = DismissDriveRequest(bay, drive.serial)
    say(session, session.client.call(RAID, "DismissDrive", request, Done).sentence)
