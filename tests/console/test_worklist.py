"""What people do with their tasks, as they type it."""

from __future__ import annotations

import json

import pytest

from tests.console.conftest import Terminal


def ids(flow: Terminal, *options: str, user: str) -> list[str]:
    return [task["id"] for task in flow.json("task", "list", *options, user=user)]


def test_a_task_is_listed_for_whoever_holds_its_role_in_its_unit(started: Terminal) -> None:
    assert ids(started, user="wang") == ["SV-1.1"]
    assert ids(started, user="li") == ["SV-1.1"]
    assert ids(started, user="sun") == []
    assert ids(started, user="zhao") == []


def test_a_role_held_above_counts_in_the_units_below(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    assert ids(started, user="zhao") == ["SV-1.2"]


def test_a_substitute_sees_and_does_the_work_and_history_names_both(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    [task] = started.json("task", "list", user="sun")
    assert (task["why"], task["on_behalf_of"]) == ("role of someone represented", "zhao.min")
    started("task", "complete", "SV-1.2", "--set", "decision=agree", user="sun")
    history = started("instance", "history", "SV-1").stdout
    assert "孙悦 for 赵敏" in history
    assert "孙悦 for 赵敏" in started("instance", "view", "SV-1").stdout


def test_who_acts_as_a_substitute_is_named_with_the_substitute_and_whose_right_it_was(
    started: Terminal,
) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="li")
    file = started.folder / "org.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("system_user: wang,", "system_user: wang, may: [act-for],"), encoding="utf-8"
    )
    started("org", "import", user="zhao")
    for words in (("claim",), ("comment", "看过"), ("draft", "--set", "decision=agree"), ("complete",)):
        started("task", words[0], "SV-1.2", *words[1:], "--as", "sun.yue", user="wang")
    history = started("instance", "history", "SV-1", user="zhao").stdout
    told = [line for line in history.splitlines() if "SV-1.2" in line and "王芳" in line]
    assert len(told) == 4
    assert all("王芳 as 孙悦, for 赵敏" in line for line in told)
    history = started("instance", "history", "SV-1", user="zhao", lang="zh").stdout
    assert history.count("王芳（以孙悦名义，代赵敏）") == 4
    assert "王芳 as 孙悦, for 赵敏" in started("instance", "view", "SV-1", user="zhao").stdout
    assert started.json("audit", "verify")["faults"] == []


def test_a_substitute_who_took_a_task_first_still_hands_it_in_by_the_other_s_right(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="li")
    started("task", "claim", "SV-1.2", user="sun")
    started("task", "complete", "SV-1.2", "--set", "decision=agree", user="sun")
    history = started("instance", "history", "SV-1", user="zhao").stdout
    assert [line for line in history.splitlines() if "审批采购申请 done" in line and "孙悦 for 赵敏" in line]


def test_a_substitution_ends_with_its_last_day(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    started.pass_time(days=5)
    assert ids(started, user="sun") == []


def test_of_two_people_one_wins_and_the_other_is_told_who_did(started: Terminal) -> None:
    started("task", "claim", "SV-1.1", user="wang")
    refused = started("task", "claim", "SV-1.1", user="li", exit_code=3)
    assert "already claimed by 王芳" in refused.stderr
    assert ids(started, user="li") == []
    assert ids(started, "--all", user="li") == ["SV-1.1"]
    assert ids(started, "--mine", user="wang") == ["SV-1.1"]


def test_who_asked_may_not_approve_though_the_role_would_allow_it(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="li")
    [task] = started.json("task", "list", user="li")
    assert task["why"] == "four eyes"
    assert started.json("task", "next", user="li") is None
    refused = started("task", "claim", "SV-1.2", user="li", exit_code=7)
    assert "李雷 already did 填写采购申请" in refused.stderr
    assert "not you: you did 填写采购申请" in started("task", "view", "SV-1.2", user="li").stdout


def test_a_step_done_twice_is_named_once(started: Terminal) -> None:
    asking = ("--set", "what=纸", "--set", "amount=3")
    started("task", "complete", "SV-1.1", *asking, user="li")
    started("task", "complete", "SV-1.2", "--set", "decision=refuse", "--set", "reason=太贵", user="zhao")
    started("task", "complete", "SV-1.3", *asking, user="li")
    assert started("task", "view", "SV-1.4", user="li").stdout.count("填写采购申请") == 1
    assert started("task", "claim", "SV-1.4", user="li", exit_code=7).stderr.count("填写采购申请") == 1


def test_who_asked_may_not_approve_in_another_name_either(started: Terminal) -> None:
    given = ("--set", "what=纸", "--set", "amount=3")
    started("task", "complete", "SV-1.1", *given, "--as", "wang.fang", user="zhao")
    for other in ((), ("--as", "li.lei")):
        [task] = started.json("task", "list", *other, user="zhao")
        assert task["why"] == "four eyes"
        refused = started(
            "task", "complete", "SV-1.2", "--set", "decision=agree", *other, user="zhao", exit_code=7
        )
        assert "赵敏 already did 填写采购申请" in refused.stderr
    assert "赵敏 for 王芳" in started("instance", "history", "SV-1", user="zhao").stdout
    started("task", "complete", "SV-1.2", "--set", "decision=agree", user="li")


def test_a_stranger_sees_nothing_of_a_task(started: Terminal) -> None:
    assert "纸" not in started("task", "view", "SV-1.1", user="sun", exit_code=7).output
    assert "P3WD" not in started("task", "why", "SV-1.1", user="sun", exit_code=7).output
    started("task", "comment", "SV-1.1", "hello", user="sun", exit_code=7)


@pytest.mark.parametrize("done", [False, True])
def test_who_has_or_did_a_task_is_not_told_to_a_stranger(started: Terminal, done: bool) -> None:
    started("task", "claim", "SV-1.1", user="wang")
    if done:
        started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang")
    for words in (
        ("claim", "SV-1.1"), ("release", "SV-1.1"), ("delegate", "SV-1.1", "li.lei"), ("assign", "SV-1.1", "li.lei"),
        ("complete", "SV-1.1"), ("draft", "SV-1.1", "--set", "what=纸"),
    ):  # fmt: skip
        assert "wang" not in started("task", *words, user="sun", exit_code=7).output, words


def test_every_problem_of_a_form_is_named_and_nothing_is_lost(started: Terminal) -> None:
    started("task", "draft", "SV-1.1", "--set", "what=打印纸", user="wang")
    refused = started("task", "complete", "SV-1.1", "--set", "amount=0", "--json", user="wang", exit_code=6)
    error = json.loads(refused.stderr)["error"]
    assert error["kind"] == "Invalid"
    assert [problem["field"] for problem in error["problems"]] == ["amount"]
    assert started.json("task", "view", "SV-1.1", user="wang")["values"] == {"what": "打印纸"}
    started("task", "complete", "SV-1.1", "--set", "amount=5", user="wang")
    assert "打印纸" in started("task", "view", "SV-1.1", user="wang").stdout


def test_values_come_from_a_file_and_set_goes_before_it(started: Terminal) -> None:
    file = started.folder / "values.yaml"
    file.write_text("what: 桌子\namount: 9\n", encoding="utf-8")
    started("task", "complete", "SV-1.1", "--form", str(file), "--set", "amount=7", user="wang")
    shown = started("task", "view", "SV-1.1", user="wang").stdout
    assert "桌子" in shown
    assert "7" in shown


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("v.json", "{", "line 1"),
        ("v.json", '{"what": "a:\\"b{",\n"amount": 1,\n "amount": 2}', "line 3"),
        ("v.json", '{"amount": 1, "what": [{"x": 1}, {"x": 2,\n"\\u0078": 3}]}', "line 2"),
        ("v.yaml", 'what: "\\a"', "line 1"),
        ("v.yaml", "a: 1\na: 2\n", "line 2"),
        ("v.yaml", "when: 2026-09-14", "line 1"),
    ],
)
def test_a_faulty_file_of_values_is_refused_with_its_line(
    started: Terminal, name: str, content: str, place: str
) -> None:
    file = started.folder / name
    file.write_text(content, encoding="utf-8")
    assert (
        place in started("task", "complete", "SV-1.1", "--form", str(file), user="wang", exit_code=8).stderr
    )


def test_release_assign_and_delegate(started: Terminal) -> None:
    started("task", "claim", "SV-1.1", user="wang")
    started("task", "release", "SV-1.1", user="wang")
    assert ids(started, user="li") == ["SV-1.1"]
    started("task", "assign", "SV-1.1", "li.lei", user="zhao")
    assert ids(started, "--mine", user="li") == ["SV-1.1"]
    assert "孙悦" in started("task", "assign", "SV-1.1", "sun.yue", user="zhao", exit_code=7).stderr
    started("task", "delegate", "SV-1.1", "sun.yue", user="li")
    assert ids(started, "--mine", user="sun") == ["SV-1.1"]


def test_due_dates_are_told_in_working_days_and_why_counts_them(started: Terminal) -> None:
    assert "in 3 working days" in started("task", "list", user="wang").stdout
    assert ids(started, "--due", "today", user="wang") == []
    why = started("task", "why", "SV-1.1", user="wang").stdout
    assert "2026-09-17 Thu" in why
    assert [line["count"] for line in started.json("task", "why", "SV-1.1", user="wang")["deadlines"][0]["lines"]] == [
        None, 1, 2, 3,
    ]  # fmt: skip
    started.pass_time(days=3)
    assert "today" in started("task", "list", "--due", "today", user="wang").stdout
    started.pass_time(days=5)
    assert ids(started, "--due", "overdue", user="wang") == ["SV-1.1"]
    assert "working days late" in started("task", "list", user="wang").stdout


def test_the_make_up_working_day_counts_and_is_named(flow: Terminal) -> None:
    flow.pass_time(days=4)  # Friday; Sunday 20 September 2026 is worked
    flow("start", "P-1", "--unit", "office-1", user="wang")
    why = flow("task", "why", "SV-1.1", user="wang", lang="zh").stdout
    assert "2026-09-20 周日  1" in why
    assert "国庆节" in why


def test_at_a_terminal_what_is_missing_is_asked_for_until_it_fits(
    started: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.output.interactive", lambda: True)
    shown = started("task", "complete", "SV-1.1", user="wang", typed="椅子\nmany\n4\n", lang="zh").output
    assert "物资名称" in shown
    assert shown.count("金额（元）") >= 2
    started("task", "complete", "SV-1.2", user="zhao", typed="2\n太贵\n", lang="zh")
    assert "太贵" in started("task", "view", "SV-1.2").stdout


def test_a_task_without_terminal_is_not_asked_about(started: Terminal) -> None:
    started("task", "complete", "SV-1.1", user="wang", exit_code=6, typed="椅子\n4\n")


def test_an_editor_fills_the_form_in(started: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def edit(text: str, **_options: object) -> str:
        seen.append(text)
        return text.replace("what:", "what: 书柜").replace("amount:", "amount: 800")

    monkeypatch.setattr("click.edit", edit)
    started("task", "complete", "SV-1.1", "--edit", user="wang")
    assert "What" in seen[0]
    assert "书柜" in started("task", "view", "SV-1.1", user="wang").stdout


def test_leaving_the_editor_without_saving_completes_nothing(
    started: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.edit", lambda *_args, **_options: None)
    started("task", "complete", "SV-1.1", "--edit", user="wang", exit_code=130)
    assert ids(started, user="wang") == ["SV-1.1"]


def test_comments_are_shown_with_who_made_them(started: Terminal) -> None:
    started("task", "comment", "SV-1.1", "等厂家报价", user="li")
    shown = started("task", "view", "SV-1.1", user="wang").stdout
    assert "李雷: 等厂家报价" in shown
    refused = started("task", "comment", "SV-1.1", "字" * 20_001, user="li", exit_code=6).stderr
    assert "The comment has 20001 characters; at most 20000 may be" in refused


def test_next_is_the_most_urgent_task_one_may_do(started: Terminal) -> None:
    started.pass_time(days=1)
    started("start", "P-1", "--unit", "office-1", user="wang")
    assert started.json("task", "next", user="wang")["id"] == "SV-1.1"
    started("task", "claim", "SV-1.1", user="li")
    assert started.json("task", "next", user="wang")["id"] == "SV-2.1"


def test_an_empty_worklist_is_no_failure(flow: Terminal) -> None:
    assert flow.json("task", "list", user="sun") == []
    assert "Nothing to do" in flow("task", "list", user="sun").stderr


def test_the_same_key_in_two_rows_or_with_a_mark_of_order_before_it_is_no_repetition(
    started: Terminal,
) -> None:
    file = started.folder / "values.json"
    file.write_bytes(b'\xef\xbb\xbf{"what": "{x: \\"what\\":", "amount": 3}')
    started("task", "complete", "SV-1.1", "--form", str(file), user="wang")


def test_a_field_set_twice_on_the_command_line_is_refused(started: Terminal) -> None:
    said = started(
        "task", "complete", "SV-1.1", "--set", "amount=3", "--set", "amount=4", user="wang", exit_code=2
    )
    assert "amount twice" in said.stderr


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("task", "comment", "SV-1.1", "\x1b[2Jhello"), "text"),
        (("task", "draft", "SV-1.1", "--set", "what=\x07"), "what"),
        (("start", "P-1", "--unit", "office-1", "--title", "a\x9bb"), "title"),
        (("start", "P-1", "--unit", "office-1", "--set", "what=a\x00b"), "what"),
    ],
)
def test_a_text_that_would_drive_the_terminal_is_never_kept(
    started: Terminal, words: tuple[str, ...], place: str
) -> None:
    said = started(*words, user="li", exit_code=6).stderr
    assert f"{place}: A character in it cannot be stored" in said


def test_a_comment_of_several_lines_is_kept_and_one_of_nothing_to_be_seen_is_not(started: Terminal) -> None:
    started("task", "comment", "SV-1.1", "一\n\t二", user="wang")
    started("task", "comment", "SV-1.1", "\u200b\u2060", user="wang", exit_code=6)


def test_the_rule_of_a_due_date_is_told_in_the_readers_words(started: Terminal) -> None:
    told = started("task", "why", "SV-1.1", user="wang", lang="zh").stdout
    assert "任务开启（2026-09-14）之后 3 个工作日内（自次日起算）" in told
    assert (
        "within 3 working days after the opening of the task (2026-09-14)"
        in started("task", "why", "SV-1.1", user="wang").stdout
    )


def test_who_loses_a_role_is_told_so_and_the_task_is_free_again(started: Terminal) -> None:
    started("task", "claim", "SV-1.1", user="wang")
    file = started.folder / "org.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("system_user: wang, roles: [{role: clerk, unit: office-1}]", "system_user: wang"),
                    encoding="utf-8")  # fmt: skip
    assert "SV-1.1" in started("org", "import", user="zhao").stderr
    started("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", user="wang", exit_code=7)
    assert "王芳" in started("instance", "history", "SV-1", user="li").stdout
    assert ids(started, user="li") == ["SV-1.1"]


def test_the_page_of_an_instance_names_who_really_acted_in_another_s_name(started: Terminal) -> None:
    given = ("--set", "what=纸", "--set", "amount=3")
    started("task", "complete", "SV-1.1", *given, "--as", "wang.fang", user="zhao")
    assert "赵敏 for 王芳" in started("instance", "view", "SV-1").stdout
    [first, _] = started.json("instance", "view", "SV-1")["steps"]
    assert (first["account"], first["person"], first["acting_for"]) == ("zhao.min", "wang.fang", "wang.fang")


def test_a_list_that_was_cut_off_says_how_much_there_is(started: Terminal) -> None:
    started("start", "P-1", "--unit", "office-1", user="wang")
    for said in (
        started("task", "list", "-L", "1", user="wang"),
        started("task", "list", "-L", "1", "--json", user="wang"),
        started("instance", "list", "-L", "1"),
    ):
        assert "1 of 2; -L shows more" in said.stderr
    assert "-L shows" not in started("task", "list", "-L", "2", user="wang").stderr


def test_personal_answers_are_erased_once_the_instance_has_ended(flow: Terminal) -> None:
    file = flow.folder / "forms" / "purchase" / "request.yaml"
    text = file.read_text(encoding="utf-8")
    field = "  - {id: phone, type: text, personal: true, label: {zh: 电话, en: Phone}}\n"
    file.write_text(text + field, encoding="utf-8")
    flow("procedure", "publish", "P-1")
    flow("start", "P-1", "--unit", "office-1", user="wang")
    given = ("--set", "what=纸", "--set", "amount=3", "--set", "phone=13900000000")
    flow("task", "complete", "SV-1.1", *given, user="wang")
    flow("instance", "correct", "SV-1", "--set", "phone=13900000001", "--reason", "错号")
    erase = ("instance", "erase", "SV-1", "--reason", "本人要求")
    assert "still works with these answers" in flow(*erase, exit_code=3).stderr
    flow("instance", "cancel", "SV-1", "--reason", "撤回", "--yes")
    assert "1390000000" in flow("instance", "history", "SV-1", "--all").stdout
    assert "3 personal values of SV-1 are erased" in flow(*erase).stdout
    assert "1390000000" not in flow("instance", "history", "SV-1", "--all").stdout
    assert "1390000000" not in flow("task", "view", "SV-1.1", "--json", user="wang").stdout
    assert "本人要求" in flow("instance", "history", "SV-1").stdout
    assert flow.json("audit", "verify")["faults"] == []
    files = [each for each in flow.folder.glob("*.db*") if each.is_file()]
    assert files
    assert not any(b"1390000000" in each.read_bytes() for each in files)


def test_tasks_of_a_suspended_instance_are_marked_and_no_longer_next(started: Terminal) -> None:
    started("instance", "suspend", "SV-1", "--reason", "封控")
    assert "suspended" in started("task", "list", user="wang").stdout
    assert "已暂停" in started("task", "list", user="wang", lang="zh").stdout
    assert started.json("task", "list", user="wang")[0]["suspended"] is True
    assert "flow instance resume SV-1 lets it go on" in started("task", "view", "SV-1.1", user="wang").stdout
    assert "Nothing to do" in started("task", "next", user="wang").stderr
    started("instance", "resume", "SV-1")
    assert "suspended" not in started("task", "list", user="wang").stdout


def test_a_variable_is_given_as_text_or_with_a_colon_as_a_number(started: Terminal) -> None:
    correct = ("instance", "correct", "SV-1", "--reason", "笔误", "--set")
    for given in ("decision=12", "decision:=12", "decision:=[1, true]"):
        started(*correct, given)
    history = started.json("instance", "history", "SV-1")
    found = [line["facts"]["values"]["decision"] for line in history if line["kind"] == "variables.corrected"]
    assert found == ["12", 12, [1, True]]
    assert "expects a number, true, false" in started(*correct, "decision:=agree", exit_code=2).stderr
    assert "NAME:=VALUE" in started("start", "--help").stdout


def test_a_table_that_is_none_is_refused_with_how_it_is_written(flow: Terminal) -> None:
    file = flow.folder / "forms" / "purchase" / "request.yaml"
    column = "{id: part, type: text, label: {zh: 部件, en: Part}}"
    table = f"  - {{id: parts, type: table, label: {{zh: 部件, en: Parts}}, fields: [{column}]}}\n"
    file.write_text(file.read_text(encoding="utf-8") + table, encoding="utf-8")
    flow("procedure", "publish", "P-1")
    flow("start", "P-1", "--unit", "office-1", user="wang")
    given = ("task", "complete", "SV-1.1", "--set", "what=纸", "--set", "amount=3", "--set")
    for wrong in ("parts=a, b", "parts:=3", 'parts:=["a"]'):
        refused = flow(*given, wrong, user="wang", exit_code=6).stderr
        assert """written as --set parts:='[{"COLUMN": "VALUE"}]'""" in refused
    flow(*given, 'parts:=[{"part": "a"}]', user="wang")
