"""Random procedures for tests of the layout: nested blocks over lanes, with loops and boundary events."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.layout.building import Process, file, output, reading

NAMES = [
    "",
    "审批",
    "编制调查方案",
    "电话回访未满意的顾客并记录原因",
    "设计问卷、确定抽样比例并报管理者代表审核批准后方可发放（含电子问卷与纸质问卷）",
    "Check the roster",
    "满意度是否达标",
    "15 个工作日",
]
LANES = ["质量管理部", "管理者代表", "调查小组", "系统", "相关责任部门负责人", "综合办公室"]
BLOCKS = ["task", "task", "xor", "and", "loop", "timer", "sub", "skip"]


@dataclass
class Writer:
    """Adds blocks to a process, drawing every choice from Hypothesis."""

    draw: st.DrawFn
    process: Process
    lanes: int
    budget: int
    count: int = 0
    inner: list[str] = field(default_factory=list)
    """What stands inside sub-processes."""

    def node(self, kind: str, inside: str = "") -> str:
        self.count += 1
        self.budget -= 1
        lane = LANES[self.draw(st.integers(0, self.lanes - 1))] if self.lanes else ""
        name = self.draw(st.sampled_from(NAMES))
        return self.process.add(kind, f"{self.process.id}_{kind[:4]}{self.count}", name, lane, inside)

    def label(self) -> str:
        return self.draw(st.sampled_from(["", "是", "不合格", "退回修改并补充材料"]))

    def sequence(self, here: str, depth: int) -> str:
        for _ in range(self.draw(st.integers(1, 4))):
            if self.budget <= 0:
                break
            kind = self.draw(st.sampled_from(BLOCKS if depth else BLOCKS[:2]))
            here = getattr(self, f"block_{kind}")(here, depth - 1)
        return here

    def block_task(self, here: str, depth: int) -> str:
        kind = self.draw(
            st.sampled_from(["userTask", "serviceTask", "callActivity", "intermediateCatchEvent"])
        )
        task = self.node(kind)
        self.process.flow(here, task)
        if kind == "userTask" and self.draw(st.booleans()):
            self.process.note(f"{task}_n", self.draw(st.sampled_from(NAMES[1:])), task)
        return task

    def block_xor(self, here: str, depth: int, kind: str = "exclusiveGateway") -> str:
        split, join = self.node(kind), self.node(kind)
        self.process.flow(here, split)
        for _ in range(self.draw(st.integers(2, 5))):
            first = self.node("task")
            self.process.flow(split, first, self.label())
            last = self.sequence(first, depth)
            if self.draw(st.integers(0, 4)):
                self.process.flow(last, join)
            else:
                self.process.flow(last, self.node("endEvent"))
        self.process.flow(split, join, self.label())
        return join

    def block_and(self, here: str, depth: int) -> str:
        return self.block_xor(here, depth, "parallelGateway")

    def block_loop(self, here: str, depth: int) -> str:
        first = self.node("userTask")
        self.process.flow(here, first)
        gate = self.node("exclusiveGateway")
        self.process.flow(self.sequence(first, depth), gate)
        self.process.flow(gate, self.draw(st.sampled_from([first, here, gate])), self.label())
        return gate

    def block_skip(self, here: str, depth: int) -> str:
        gate = self.node("inclusiveGateway")
        self.process.flow(here, gate)
        last = self.sequence(gate, depth)
        if last != gate:
            after = self.node("userTask")
            self.process.flow(last, after)
            self.process.flow(gate, after, self.label())
            return after
        return gate

    def block_timer(self, here: str, depth: int) -> str:
        task = self.node("userTask")
        self.process.flow(here, task)
        join = self.node("exclusiveGateway")
        for number in range(self.draw(st.integers(1, 4))):
            event = self.process.boundary(f"{task}_b{number}", task, self.draw(st.sampled_from(NAMES)))
            handler = self.node("sendTask")
            self.process.flow(event, handler, self.label())
            if self.draw(st.booleans()):
                self.process.flow(handler, join)
            elif self.draw(st.booleans()):
                self.process.flow(handler, task)
        self.process.flow(task, join)
        return join

    def block_sub(self, here: str, depth: int) -> str:
        self.count += 1
        inner = Writer(self.draw, Process(f"{self.process.id}s{self.count}"), 0, min(self.budget, 10))
        inner.whole(min(depth, 1))
        self.budget -= inner.count
        self.inner += [*inner.process.members, *inner.inner]
        sub = self.node("subProcess", inner.process.body())
        self.process.flow(here, sub)
        if self.draw(st.booleans()):
            event = self.process.boundary(f"{sub}_b", sub, "五个工作日", "error")
            self.process.flow(event, self.node("endEvent"))
        return sub

    def whole(self, depth: int) -> None:
        start = self.node("startEvent")
        self.process.flow(self.sequence(start, depth), self.node("endEvent"))


@st.composite
def procedures(draw: st.DrawFn, budget: int = 40) -> bytes:
    """A BPMN file of about `budget` elements at most, with or without lanes, data, a second pool."""
    process = Process("p", "顾客满意度调查程序")
    writer = Writer(draw, process, draw(st.integers(0, len(LANES))), budget)
    if draw(st.booleans()):
        lane = LANES[0] if writer.lanes else ""
        task = process.add("userTask", "reads", "查阅记录", lane, reading("record", "reads"))
        process.data("record", "调查记录（QR-07）")
        writer.whole(3)
        made = process.add("userTask", "writes", "填写记录", lane, output("record", "writes"))
        process.path(made, task)
    else:
        writer.whole(3)
    if draw(st.integers(0, 3)) == 0:
        inner = Writer(draw, Process("event"), 0, 6)
        inner.whole(1)
        process.add("subProcess", "event", "撤回", "", inner.process.body(), triggeredByEvent="true")
    if not draw(st.booleans()):
        return file(process)
    other = Process("q", "顾客")
    steps = [("startEvent", "qs", "收到"), ("task", "qt", "答复"), ("endEvent", "qe", "完")]
    other.path(*(other.add(*step) for step in steps))
    ends = [key for key in [*process.members, *writer.inner] if key not in ("record", "event")]
    lines = ['<bpmn:participant id="box" name="主管部门" />', '<bpmn:participant id="box2" name="协会" />']
    for number in range(draw(st.integers(1, 4))):
        pair = [draw(st.sampled_from(ends)), draw(st.sampled_from(["qt", "qs", "box", "box2"]))]
        source, target = pair if draw(st.booleans()) else pair[::-1]
        lines.append(
            f'<bpmn:messageFlow id="m{number}" name="答卷" sourceRef="{source}" targetRef="{target}" />'
        )
    return file(process, other, extra="\n".join(lines))


@st.composite
def tangles(draw: st.DrawFn) -> bytes:
    """A BPMN file whose flows join any element to any other: no procedure, but nothing may break on it."""
    process = Process("p", "乱")
    lanes = draw(st.integers(0, 4))
    kinds = ["task", "exclusiveGateway", "startEvent", "endEvent", "userTask", "intermediateThrowEvent"]
    nodes = []
    for number in range(draw(st.integers(1, 14))):
        lane = LANES[draw(st.integers(0, lanes - 1))] if lanes else ""
        kind = draw(st.sampled_from(kinds))
        nodes.append(process.add(kind, f"n{number}", draw(st.sampled_from(NAMES)), lane))
        if kind == "userTask" and draw(st.booleans()):
            process.boundary(f"n{number}b", f"n{number}", draw(st.sampled_from(NAMES)))
    sources, targets = st.sampled_from(list(process.members)), st.sampled_from(nodes)
    for _ in range(draw(st.integers(0, 24))):
        process.flow(draw(sources), draw(targets), draw(st.sampled_from(["", "是", "退回修改并补充材料"])))
    for number in range(draw(st.integers(0, 3))):
        process.note(f"note{number}", draw(st.sampled_from(NAMES[1:])), draw(targets))
    return file(process, pools=draw(st.booleans()))
