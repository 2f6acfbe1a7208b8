"""Gateways, joins and loops (BPMN 2.0.2, 13.4): which way, how often, and in which order."""

from __future__ import annotations

import pytest

from tests.engine.paths import path, rehearse
from tests.engine.stage import Stage

CHOICE = """
start s
xor way
task a
task b
task c
end e
s -> way
way -> a : n > 1
way -> b : n > 0
way -> c : else
a -> e
b -> e
c -> e
"""


@pytest.mark.parametrize(("n", "taken"), [(2, "a"), (1, "b"), (0, "c")])
def test_the_first_condition_that_holds_in_document_order_decides_and_the_default_comes_last(n, taken):
    assert path(CHOICE, n=n) == f"s way {taken} e"


def test_a_default_flow_drawn_first_is_still_tried_last():
    drawing = CHOICE.replace("way -> c : else\n", "").replace(
        "way -> a : n > 1", "way -> c : else\nway -> a : n > 1"
    )
    assert path(drawing, n=5) == "s way a e"


def test_where_no_condition_holds_and_no_default_stands_an_incident_waits_at_the_gateway():
    found = rehearse(CHOICE.replace("way -> c : else", "way -> c : n < 0"), n=0)
    assert found.ended == "incident"
    assert found.visited == ("s", "way")
    assert "No outgoing flow's condition holds" in found.incidents[0]


def test_conditions_on_flows_out_of_a_task_work_like_an_inclusive_gateway():
    drawing = """
    start s
    task t
    task a
    task b
    task c
    end e
    s -> t -> a : n > 0
    t -> b : n > 1
    t -> c : else
    a -> e
    b -> e
    c -> e
    """
    assert path(drawing, n=2) == "s t a b e e"
    assert path(drawing, n=0) == "s t c e"


PARALLEL_IN_LOOP = """
start s
script begin do="n = 0"
xor again
and split
user a
user b
and join
script count do="n = n + 1"
xor enough
end e
s -> begin -> again -> split -> a -> join -> count -> enough
split -> b -> join
enough -> e : n >= 3
enough -> again : else
"""


def test_a_parallel_join_in_a_loop_waits_for_both_branches_every_time_round():
    lap = "again split a b join count enough"
    assert path(PARALLEL_IN_LOOP) == f"s begin {lap} {lap} {lap} e"


def test_a_parallel_join_in_a_loop_waits_whichever_branch_comes_first(quick: Stage):
    quick.publish(PARALLEL_IN_LOOP)
    number = quick.start()
    for first, second in ("ab", "ba", "ba"):
        quick.complete(first)
        assert quick.open() == [second]
        quick.complete(second)
    assert quick.outcome(number) == "completed"
    assert quick.trace(number).count("join") == 3


def test_a_second_token_on_the_same_branch_does_not_count_for_the_other(quick: Stage):
    """13.4.1: the join needs a token on every incoming flow; what is in excess stays where it is."""
    quick.publish("""
    start s
    and twice
    xor merge
    user a
    user b
    and split
    and join
    user after
    end e
    s -> split -> twice -> merge -> a -> join
    twice -> merge
    split -> b -> join -> after -> e
    """)
    number = quick.start()
    assert quick.open() == ["b", "a", "a"]
    for task in quick.tasks("a"):
        quick.complete(task)
    assert quick.open() == ["b"]
    quick.complete("b")
    assert quick.open() == ["after"]
    quick.complete("after")
    assert quick.outcome(number) is None, "the token in excess still waits at the join"
    assert quick.trace(number).count("join") == 1


INCLUSIVE = """
start s
or split
task a
task b
task c
or join
task after
end e
s -> split
split -> a : x > 0
split -> b : x > 1
split -> c : else
a -> join
b -> join
c -> join
join -> after -> e
"""


@pytest.mark.parametrize(
    ("x", "expected"), [(2, "s split a b join after e"), (1, "s split a join after e"), (0, "s split c join after e")]
)  # fmt: skip
def test_an_inclusive_join_waits_for_the_branches_taken_and_for_no_other(x, expected):
    assert path(INCLUSIVE, x=x) == expected


def test_an_inclusive_join_waits_for_a_token_that_may_still_choose_its_branch(quick: Stage):
    quick.publish("""
    start s
    and split
    user a
    user b
    xor way
    user c
    user d
    or join
    user after
    end e
    end aside
    s -> split -> a -> join -> after -> e
    split -> b -> way
    way -> c : go
    way -> d : else
    c -> join
    d -> aside
    """)
    quick.start(go=True)
    quick.complete("a")
    quick.complete("b")
    assert quick.open() == ["c"]
    quick.complete("c")
    assert quick.open() == ["after"]
    other = quick.start(go=False)
    quick.complete(next(t for t in quick.tasks("a") if t.startswith(f"SV-{other}.")))
    quick.complete(next(t for t in quick.tasks("b") if t.startswith(f"SV-{other}.")))
    assert sorted(quick.open(other)) == ["after", "d"], "once the token went aside, the join waits no longer"


def test_an_inclusive_join_in_a_loop_joins_once_each_time_round():
    drawing = """
    start s
    script begin do="n = 0"
    xor again
    or split
    task a
    task b
    or join
    script count do="n = n + 1"
    xor enough
    end e
    s -> begin -> again -> split
    split -> a : n < 2
    split -> b : n > 0
    a -> join
    b -> join
    join -> count -> enough
    enough -> e : n >= 3
    enough -> again : else
    """
    assert path(drawing) == (
        "s begin again split a join count enough again split a b join count enough again split b join count enough e"
    )


def test_an_inclusive_join_waits_for_a_token_that_comes_by_a_link(quick: Stage):
    quick.publish("""
    start s
    or split
    user a
    user b
    throw out link=L
    catch in link=L
    or join
    user after
    end e
    s -> split -> a -> join -> after -> e
    split -> b -> out
    in -> join
    """)
    number = quick.start()
    quick.complete("a")
    assert quick.open() == ["b"]
    quick.complete("b")
    quick.complete("after")
    assert quick.outcome(number) == "completed"


def test_an_inclusive_join_waits_for_a_host_whose_boundary_event_may_still_come(quick: Stage):
    quick.publish("""
    start s
    and split
    user a
    user host
    boundary late on=host timer=PT1H
    end aside
    or join
    user after
    end e
    s -> split -> a -> join -> after -> e
    split -> host -> aside
    late -> join
    """)
    quick.start()
    quick.complete("a")
    assert quick.open() == ["host"]
    quick.complete("host")
    assert quick.open() == ["after"]


def test_two_tokens_on_one_flow_of_an_inclusive_join_pass_one_after_the_other():
    """13.4.3: one token is taken from each incoming flow that has one."""
    drawing = """
    start s
    and split
    xor merge
    or join
    task after
    end e
    task b
    s -> split -> merge -> join -> after -> e
    split -> merge
    split -> b -> join
    """
    assert path(drawing).split().count("after") == 2


def test_standard_loops_test_before_or_after_and_stop_at_their_maximum():
    once = """
    start s
    script add do="n = n + 1" while="n < 3"
    end e
    s -> add -> e
    """
    assert path(once, n=0) == "s add add add e"
    assert path(once, n=9) == "s add e"
    before = once.replace('while="n < 3"', 'while="n < 3" test-before')
    found = rehearse(before, n=9)
    assert found.visited == ("s", "add", "e")  # reached, and left without being done
    assert found.variables["n"] == 9
    assert path(before, n=1) == "s add add e"
    assert path(once.replace('while="n < 3"', "max=4"), n=0) == "s add add add add e"
    assert path(once.replace('while="n < 3"', 'while="n < 3" max=2'), n=0) == "s add add e"


def test_a_loop_over_a_sub_process_runs_all_of_it_each_time():
    drawing = """
    start s
    sub body while="n < 2"
      start s2
      script add do="n = n + 1"
      and split
      end a
      end b
      s2 -> add -> split -> a
      split -> b
    end e
    s -> body -> e
    """
    assert path(drawing, n=0) == "s body s2 add split a b body s2 add split a b e"


def test_a_boundary_timer_of_a_loop_runs_across_its_iterations():
    drawing = """
    start s
    receive r message=never max=3
    boundary late on=r timer=PT10S
    end e
    task fallback
    end e2
    s -> r -> e
    late -> fallback -> e2
    """
    assert path(drawing) == "s r late fallback e2"


def test_ids_that_programs_like_to_use_themselves_are_ordinary_ids():
    drawing = """
    start Start
    script Root do="End = 1"
    task data
    sub self
      start None_
      end True_
      None_ -> True_
    end End
    Start -> Root -> data -> self -> End
    """
    assert path(drawing) == "Start Root data self None_ True_ End"


def test_links_are_go_tos_within_their_scope():
    drawing = """
    start s
    throw out1 link=L
    throw out2 link=L
    and split
    catch in link=L
    task a
    end e
    s -> split -> out1
    split -> out2
    in -> a -> e
    """
    assert path(drawing) == "s split out1 out2 in in a a e e"


def test_a_process_without_start_and_end_events_begins_where_nothing_leads_to_and_ends_when_nothing_is_left():
    assert path("task a\ntask b\na -> b") == "a b"
    assert path("task a\ntask b") == "a b"


def test_a_loop_that_never_waits_is_stopped_with_an_incident_and_not_left_running():
    drawing = """
    start s
    xor again
    task a
    xor way
    end e
    s -> again -> a -> way
    way -> e : n > 0
    way -> again : else
    """
    import engine.bpmn.meter as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_VISITS", 300)
        from engine.rehearsal import run
        from tests.engine.drawing import diagram

        found = run(diagram(drawing), "main", {"n": 0})
    assert found.ended == "incident"
    assert "the loop has no end" in found.incidents[0]
