"""Draws the blocks of `blocks` in the notation of `drawing`."""

from __future__ import annotations

from itertools import pairwise

from tests.engine.blocks import Block

_SINGLE = {
    "task": "user {name}",
    "many": "user {name} times=2",
    "again": "user {name} max={laps}",
    "script": "script {name} do=pass",
    "wait": "catch {name} {event}",
}


def draw(block: Block) -> str:
    """The block as a process in the notation."""
    lines = ["start begin", "end done"]
    first, last = _draw(block, lines, "")
    return "\n".join([*lines, f"begin -> {first}", f"{last} -> done"])


def _draw(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    """Add the block's elements and flows; which elements it begins and ends with."""
    name, say = block.id, lambda text: lines.append(indent + text)
    if block.kind in _SINGLE:
        say(_SINGLE[block.kind].format(name=name, laps=block.laps, event=_event(block)))
        return name, name
    if block.kind == "link":
        say(f"throw {name}_out link={name}")
        say(f"catch {name} link={name}")
        return f"{name}_out", name
    if block.kind == "seq":
        ends = [_draw(part, lines, indent) for part in block.parts]
        for (_, last), (first, _) in pairwise(ends):
            say(f"{last} -> {first}")
        return ends[0][0], ends[-1][1]
    if block.kind == "sub":
        say(f"sub {name}")
        say(f"  start {name}_begin")
        say(f"  end {name}_done")
        first, last = _draw(block.parts[0], lines, indent + "  ")
        say(f"  {name}_begin -> {first}")
        say(f"  {last} -> {name}_done")
        return name, name
    if block.kind == "loop":
        say(f'script {name}_zero do="{name} = 0"')
        say(f"xor {name}_again")
        first, last = _draw(block.parts[0], lines, indent)
        say(f'script {name}_count do="{name} = {name} + 1"')
        say(f"xor {name}_enough")
        say(f"{name}_zero -> {name}_again -> {first}")
        say(f"{last} -> {name}_count -> {name}_enough")
        say(f"script {name}_out do=pass")
        say(f"{name}_enough -> {name}_again : {name} < {block.laps}")
        say(f"{name}_enough -> {name}_out : else")
        return f"{name}_zero", f"{name}_out"
    if block.kind in _BORDERED:
        return _BORDERED[block.kind](block, lines, indent)
    split = {"race": "choice", "xor": "xor", "and": "and", "or": "or"}[block.kind]
    say(f"{split} {name}_split")
    say(f"{'xor' if split == 'choice' else split} {name}_join")
    for place, part in enumerate(block.parts):
        first, last = _draw(part, lines, indent)
        if block.kind == "race":
            say(f"catch {name}_{place} {_event(block, place)}")
            say(f"{name}_split -> {name}_{place} -> {first}")
        else:
            test = "else" if place == len(block.parts) - 1 else str(block.picks[place]) if block.picks else ""
            say(f"{name}_split -> {first}" + (f" : {test}" if block.picks else ""))
        say(f"{last} -> {name}_join")
    return f"{name}_split", f"{name}_join"


def _draw_host(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    name, say = block.id, lambda text: lines.append(indent + text)
    first, last = _draw(block.parts[0], lines, indent)
    say(f"boundary {name} on={first} {_event(block)}" + (" soft" if block.soft else ""))
    handler, after = _draw(block.parts[1], lines, indent)
    say(f"{name} -> {handler}")
    if block.soft:
        say(f"end {name}_end")
        say(f"{after} -> {name}_end")
        return first, last
    say(f"xor {name}_merge")
    say(f"{last} -> {name}_merge")
    say(f"{after} -> {name}_merge")
    return first, f"{name}_merge"


def _event(block: Block, place: int | None = None) -> str:
    name = block.id if place is None else f"{block.id}_{place}"
    return "timer=PT1H" if block.way == "timer" else f"{block.way}={name}"


def _draw_guard(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    name, say, inner = block.id, lambda text: lines.append(indent + text), indent + "  "
    say(f"sub {name}")
    lines += [f"{inner}start {name}_begin", f"{inner}and {name}_split", f"{inner}end {name}_done"]
    code = "" if block.way == "terminate" else f"={name}"
    lines += [f"{inner}end {name}_thrown {block.way}{code}", f"{inner}{name}_begin -> {name}_split"]
    for part, end in zip(block.parts, ("thrown", "done"), strict=False):
        first, last = _draw(part, lines, inner)
        lines.append(f"{inner}{name}_split -> {first}")
        lines.append(f"{inner}{last} -> {name}_{end}")
    if block.way == "terminate":
        return name, name
    say(f"boundary {name}_caught on={name} {block.way}={name}" + (" soft" if block.soft else ""))
    first, last = _draw(block.parts[2], lines, indent)
    say(f"{name}_caught -> {first}")
    if block.soft:
        say(f"end {name}_end")
        say(f"{last} -> {name}_end")
        return name, name
    say(f"xor {name}_merge")
    say(f"{name} -> {name}_merge")
    say(f"{last} -> {name}_merge")
    return name, f"{name}_merge"


def _draw_alarm(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    name, inner = block.id, indent + "  "
    lines += [f"{indent}sub {name}", f"{inner}start {name}_begin", f"{inner}end {name}_done"]
    first, last = _draw(block.parts[0], lines, inner)
    lines += [f"{inner}{name}_begin -> {first}", f"{inner}{last} -> {name}_done"]
    soft = " soft" if block.soft else ""
    lines += [f"{inner}event-sub {name}_beside", f"{inner}  start {name}_alarm {_event(block)}{soft}"]
    lines.append(f"{inner}  end {name}_over")
    first, last = _draw(block.parts[1], lines, inner + "  ")
    lines += [f"{inner}  {name}_alarm -> {first}", f"{inner}  {last} -> {name}_over"]
    return name, name


def _draw_undo(block: Block, lines: list[str], indent: str) -> tuple[str, str]:
    name, say = block.id, lambda text: lines.append(indent + text)
    say(f"user {name}")
    say(f"boundary {name}_undo on={name} compensate=")
    say(f"user {name}_undone undoes")
    say(f"{name}_undo ~> {name}_undone")
    say(f"throw {name}_back compensate={name}")
    first, last = _draw(block.parts[0], lines, indent)
    say(f"{name} -> {first}")
    say(f"{last} -> {name}_back")
    return name, f"{name}_back"


_BORDERED = {"host": _draw_host, "guard": _draw_guard, "alarm": _draw_alarm, "undo": _draw_undo}
