"""`flow init`: a new workspace."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from console import account, output
from console.language import LANGUAGES, chosen, tr
from console.session import Session
from console.shape import command, option

ORGANISATION = """\
# The organisation. After a change: flow org import
organisation: flow/1
units:
  - {{id: head, name: {name}}}
roles:
  - {{id: cs_supervisor, name: 客服主管}}
people:
  - {{id: {person}, name: {person}, system_user: {user}, may: [act-for, assign, admin],
     roles: [{{role: cs_supervisor, unit: head}}]}}
"""


@command("init", example="flow init surveys --organisation 第一物业")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@option(
    "--organisation", metavar="NAME", help="What the organisation is called; by default the folder's name."
)
@option(
    "--zone", metavar="ZONE", default="Asia/Shanghai", show_default=True, help="The time zone of its days."
)
@option(
    "--language", type=click.Choice(LANGUAGES), help="The language of messages; by default the one in use."
)
@click.pass_obj
def init(session: Session, folder: Path, organisation: str | None, zone: str, language: str | None) -> None:
    """Make a workspace: settings, an organisation to be filled in, a database, the working-day tables."""
    from engine import config
    from engine.bootstrap import new_workspace
    from engine.model import Actor

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(
            tr("{zone!r} is no time zone; write one like Asia/Shanghai", zone=zone)
        ) from None
    name = organisation or folder.resolve().name
    user = account.system_user()
    person = re.sub(r"[^A-Za-z0-9._-]", "-", user).lstrip("._-") or "admin"
    workspace = new_workspace(
        folder,
        Actor(person),
        text=config.settings(organisation=name, zone=zone, language=language or chosen()),
        org=ORGANISATION.format(name=_quoted(name), person=person, user=_quoted(user)),
    )
    if session.json:
        output.dump({"folder": workspace.folder, "person": person})
        return
    output.say("The workspace {folder} is made", folder=workspace.folder)
    output.note("Next: write who is who into {file}, then `flow org import`", file=workspace.org_file)
    output.note("A procedure to begin with: `flow procedure list --shipped`, `flow procedure add NAME`")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
