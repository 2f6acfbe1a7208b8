"""[notices] of flow.toml and the templates of a workspace: what is wrong with them is said, and by whom to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import config
from engine.errors import Misbuilt
from notices.settings import read_settings
from notices.wording import FOLDER, SHIPPED
from tests.notices.office import ASK, Office, PostOffice


def settings(folder: Path, text: str) -> object:
    return read_settings(config.parse(folder, f'organisation = "x"\n{text}'.encode()))


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('[notices]\ndigets = "08:30"', "notices.digets", "There is no such setting"),
        ('[notices]\ndigest = "8.30"', "notices.digest", "no time of day"),
        ('[notices]\nat_once = ["tasks"]', "notices.at_once", "none of task, reminder"),
        ("[notices]\ngather = -1", "notices.gather", "no number from 0 to 3600"),
        ('[notices.mail]\nhost = "h"', "notices.from", "needs a sender"),
        ('[notices]\nfrom = "a@b.c"\n[notices.mail]\nhost = "h"\nsecurity = "ssl"', "notices.mail.security", "none of"),
        ('[notices]\nfrom = "a@b.c"\n[notices.mail]\nport = 25', "notices.mail.host", "missing"),
        (
            '[notices]\nfrom = "a@b.c"\n[notices.mail]\nhost = "h"\nuser = "u"\npassword = "hunter2"',
            "notices.mail.password",
            "env:NAME or file:PATH",
        ),
        ('[notices]\nfrom = "a@b.c"\n[notices.mail]\nhost = "h"\nuser = "u"', "notices.mail.user", "or neither"),
        ('[notices.chats.a]\nkind = "slack"\nurl = "env:U"', "notices.chats.a.kind", "none of wecom"),
        ('[notices.chats.a]\nkind = "wecom"', "notices.chats.a.url", "missing"),
        ('[notices.chats.mail]\nkind = "wecom"\nurl = "env:U"', "notices.chats.mail", "cannot be called mail"),
        ('[notices.chats.a]\nkind = "wecom"\nurl = "env:U"\nsecret = "env:S"', "notices.chats.a.secret", "not signed"),
        ("notices = 3", "notices", "not of the right kind"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, place: str, reason: str) -> None:
    with pytest.raises(Misbuilt) as refused:
        settings(tmp_path, text)
    found = [each for each in refused.value.findings if each.element == place]
    assert found, refused.value
    assert reason in found[0].reason
    assert "hunter2" not in str(refused.value)


def test_a_department_replaces_a_template(office: Office, server: PostOffice, tmp_path: Path) -> None:
    own = tmp_path / FOLDER
    own.mkdir(parents=True)
    (own / "task.zh.txt").write_text("【客服部】{{ items[0].name }}\n\n请及时办理。\n", "utf-8")
    (own / "task.zh.html").write_text("<p>{{ person }}</p>", "utf-8")
    office.organise(open_with("安妮", "<安妮>"))
    office.publish(ASK.format(options=""))
    office.start(by="gus")
    office.after(minutes=2)
    letter = server.letter("ann")
    assert letter["Subject"] == "【客服部】ask"
    body, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert body is not None
    assert page is not None
    assert body.get_content().strip() == "请及时办理。"
    assert page.get_content().strip() == "<p>&lt;安妮&gt;</p>"
    assert server.letter("bob")["Subject"] == "New task: ask", "the other language stays the program's"


def open_with(old: str, new: str) -> str:
    from tests.notices.office import ORGANISATION

    return ORGANISATION.replace(f"name: {old}", f'name: "{new}"')


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{{ items[0].nmae }}", "task.zh.txt"),
        ("{% for each in items %}", "task.zh.txt:1"),
        ("{{ ''.__class__.__mro__ }}", "task.zh.txt"),
        ("{{ 1 / 0 }}", "task.zh.txt"),
    ],
)
def test_a_broken_template_is_named_and_the_message_is_not_lost(
    office: Office, server: PostOffice, tmp_path: Path, text: str, place: str
) -> None:
    own = tmp_path / FOLDER
    own.mkdir(parents=True)
    (own / "task.zh.txt").write_text(text, "utf-8")
    office.publish(ASK.format(options=""))
    office.start(by="gus")
    office.after(minutes=2)
    row = next(each for each in office.messages() if each.person == "ann")
    assert row.status == "new"
    assert f"The template {place} " in row.error
    (own / "task.zh.txt").unlink()
    office.after(minutes=2)
    assert server.letter("ann")["Subject"] == "新任务：ask"


def test_every_kind_of_message_has_a_template_in_both_languages() -> None:
    there = {file.name for file in SHIPPED.iterdir()}
    kinds = ("task", "reminder", "overdue", "notice", "incident", "digest", "trial")
    assert there == {f"{kind}.{language}.txt" for kind in kinds for language in ("zh", "en")}
