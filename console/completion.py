"""`flow completion`: completion of commands, options and ids for the shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from console import output
from console.session import Session
from console.shape import command

SHELLS = ("bash", "zsh", "fish", "powershell")


@command("completion", example="flow completion bash > ~/.local/share/bash-completion/completions/flow")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that makes the shell complete commands, and ids with the names of what they stand for."""
    session = ctx.find_object(Session)
    found = get_completion_class(shell)
    assert found is not None
    root = ctx.find_root()
    script = found(root.command, {}, "flow", "_FLOW_COMPLETE").source()
    if session is not None and session.json:
        output.dump({"shell": shell, "script": script})
    else:
        output.echo(script)
