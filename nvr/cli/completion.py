"""`rackeye completion`: the script that makes a shell complete `rackeye`."""

import click
from click.shell_completion import get_completion_class

from nvr.cli.shape import examples


@click.command(epilog=examples(
    "rackeye completion bash > /etc/bash_completion.d/rackeye", "rackeye completion fish | source",
))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root()
    click.echo(kind(root.command, {}, "rackeye", "_RACKEYE_COMPLETE").source())
