"""`make run`: the whole appliance on the virtual rack, with synthetic cameras. `--scenario` plays a failed drive."""

import sys
from contextlib import ExitStack, suppress

import click

from core.errors import RackeyeError
from rig.forward import forwarded
from rig.rack import Rack
from rig.story import Story, StoryFailed

PORT = 3443
HOW_TO_LOOK = """
The rack is up, four cameras are recorded.

    {page}   the console: admin / admin, to be changed at once (its certificate is its own)

In another terminal:

    {bin}/rackeye-rack exec -- rackeye status        the appliance on one page
    {bin}/rackeye-rack exec -- rackeye vd            virtual drives
    {bin}/rackeye-rack exec -- rackeye camera        cameras
    {bin}/rackeye-rack pull 2                        pull a drive; then `rackeye-rack state` shows the LEDs
    {bin}/rackeye-rack insert 2 --blank              put a new one in: it rebuilds by itself
    {bin}/rackeye-rack power-cut                     and `boot`
    {bin}/rackeye-rack shell                         a shell on the appliance; Ctrl-D leaves it

Ctrl-C ends it.
"""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--scenario", is_flag=True, help="Play the story of a failed drive; exit 0 only if all of it held.")
@click.option("--name", default="rack", show_default=True, help="Name of the rack, for `rackeye-rack --name`.")
def main(scenario: bool, name: str) -> None:
    """Boots the appliance on the virtual rack and records four cameras. Exit codes: 0 done, 1 failed."""
    try:
        with Rack(name) as rack:
            story = Story(rack, click.echo)
            click.echo("The virtual rack is up: a real kernel, eight bays of 512 MiB, all daemons under systemd.")
            if scenario:
                story.play()
                click.echo("All of it held.")
                return
            story.set_up()
            with ExitStack() as stack:
                click.echo(HOW_TO_LOOK.format(bin=sys.prefix + "/bin", page=_page(rack, stack)))
                with suppress(KeyboardInterrupt):
                    rack.wait()
            click.echo("Ended; nothing is left behind.")
    except StoryFailed as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except RackeyeError as error:
        click.echo(f"{error.code}: {error.sentence}\n  {error.hint}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("Ended.")
        sys.exit(130)


def _page(rack: Rack, stack: ExitStack) -> str:
    """The console's address, for as long as `stack` is open. Another port when somebody has 3443."""
    inside = rack.forward(PORT)
    try:
        return f"https://127.0.0.1:{stack.enter_context(forwarded(inside, PORT))}"
    except OSError:
        return f"https://127.0.0.1:{stack.enter_context(forwarded(inside))}"


if __name__ == "__main__":
    main()
