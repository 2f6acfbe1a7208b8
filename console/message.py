"""`flow message`: what comes from outside, to whoever waits for it."""

from __future__ import annotations

import click

from console import output, values
from console.completions import units
from console.session import Session
from console.shape import group, option
from engine.model import label


@group("message", example="flow message send payment_received --key SV-12")
def message() -> None:
    """Messages that instances wait for."""


@message.command("send", example="flow message send payment_received --key SV-12 --set amount=300")
@click.argument("name", metavar="NAME")
@option("--key", metavar="KEY", help="Which instance is meant: its label, or the key the diagram asks for.")
@option(
    "--set",
    "sets",
    metavar="NAME=VALUE",
    multiple=True,
    help="A value it brings; may be repeated. The value is text; NAME:=VALUE gives a number or other JSON.",
)
@option(
    "--unit",
    metavar="UNIT",
    shell_complete=units,
    help="For a message that starts a procedure: for which unit.",
)
@click.pass_obj
def send(session: Session, name: str, key: str | None, sets: tuple[str, ...], unit: str | None) -> None:
    """Deliver a message to the instance that waits for it, or start the procedure that begins with it."""
    from engine.commands.messages import Send
    from engine.queries import instances

    number = session.do(Send(by=session.actor, name=name, key=key, values=values.pairs(sets), unit=unit))
    if session.json:
        with session.read() as conn:
            output.dump(instances.find(conn, number))
    else:
        output.say("{instance} took the message {name}", instance=label(number), name=name)
