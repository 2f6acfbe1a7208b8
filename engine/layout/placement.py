"""Which cell of the grid every element gets: columns by the order of the flow, rows inside each lane.

The grid holds one element a cell. Columns come from the longest path from the starts, loops back set aside
(K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures", 1981).
Inside a lane elements follow each other in chains, a chain keeps one row, and chains of branches lie below the
chain they leave, the innermost nearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Node:
    """An element to be placed: its band (lane) and, for an artifact, the element of that band it stands beside.

    `wide`: over how many columns it reaches.
    """

    id: str
    band: int
    gateway: bool = False
    start: bool = False
    alone: bool = False
    anchor: str = ""
    wide: int = 1


@dataclass(frozen=True, slots=True)
class Link:
    """An edge between two nodes. `span` is how many columns its target stands behind its source at least."""

    source: str
    target: str
    span: int = 1
    corner: bool = False
    """The edge turns below its source: a boundary event's."""


@dataclass(slots=True)
class Places:
    """The outcome: column and row (within its band) of each node, rows of each band, which links run back."""

    column: dict[str, int] = field(default_factory=dict)
    row: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    back: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Chain:
    nodes: list[str]
    low: int
    high: int
    parent: _Chain | None = None
    split: int = 0
    above: list[_Chain] = field(default_factory=list)
    below: list[_Chain] = field(default_factory=list)


def place(nodes: Sequence[Node], links: Sequence[Link], bands: int) -> Places:
    """Columns and rows for `nodes` in `bands` bands; links keep the order in which branches are tried."""
    flowing = [node for node in nodes if not node.anchor and not node.alone]
    order, places = _order(flowing, links)
    forward = [link for number, link in enumerate(links) if number not in places.back]
    places.column = _columns(order, forward)
    _pull(flowing, order, forward, places.column)
    _beside(nodes, places.column)
    places.rows = [0] * bands
    chains = _chains(nodes, order, forward, places.column)
    for band, sequence in enumerate(_sequences(chains, bands, {node.id: node.band for node in nodes})):
        done: list[tuple[int, int, int]] = []
        for chain in sequence:
            over = [row for low, high, row in done if low <= chain.high and chain.low <= high]
            row = max(over, default=-1) + 1
            done.append((chain.low, chain.high, row))
            places.row.update(dict.fromkeys(chain.nodes, row))
        places.rows[band] = max((row for *_, row in done), default=0) + 1
    return places


def _order(nodes: Sequence[Node], links: Sequence[Link]) -> tuple[list[str], Places]:
    """A topological order of the nodes, and the links that run back in a walk from the starts.

    Only links with a span decide what a loop is; one without is set aside when it would close a circle.
    """
    entered = {link.target for link in links if link.source != link.target}
    roots = [node.id for node in sorted(nodes, key=lambda node: (node.id in entered, not node.start))]
    places = Places()
    leaving: dict[str, list[tuple[int, str]]] = {node.id: [] for node in nodes}
    for number, link in enumerate(links):
        if link.span:
            leaving[link.source].append((number, link.target))
    _, places.back = _walk(roots, leaving)
    for source in leaving.values():
        source[:] = [(number, target) for number, target in source if number not in places.back]
    for number, link in enumerate(links):
        if not link.span:
            leaving[link.source].append((number, link.target))
            if _walk(roots, leaving)[1]:
                leaving[link.source].pop()
                places.back.add(number)
    return _walk(roots, leaving)[0], places


def _walk(roots: Sequence[str], leaving: Mapping[str, list[tuple[int, str]]]) -> tuple[list[str], set[int]]:
    """A walk in depth: the nodes in topological order, and the links that led back to a node on the way."""
    back: set[int] = set()
    walking: set[str] = set()
    done: list[str] = []
    seen: set[str] = set()
    for root in roots:
        if root in seen:
            continue
        stack = [(root, iter(leaving[root]))]
        seen.add(root)
        walking.add(root)
        while stack:
            here, rest = stack[-1]
            for number, target in rest:
                if target in walking:
                    back.add(number)
                elif target not in seen:
                    seen.add(target)
                    walking.add(target)
                    stack.append((target, iter(leaving[target])))
                    break
            else:
                stack.pop()
                walking.discard(here)
                done.append(here)
    return done[::-1], back


def _columns(order: Sequence[str], forward: Sequence[Link]) -> dict[str, int]:
    column = dict.fromkeys(order, 0)
    leaving: dict[str, list[Link]] = {}
    for link in forward:
        leaving.setdefault(link.source, []).append(link)
    for node in order:
        for link in leaving.get(node, ()):
            column[link.target] = max(column[link.target], column[node] + link.span)
    return column


def _pull(
    nodes: Sequence[Node], order: Sequence[str], forward: Sequence[Link], column: dict[str, int]
) -> None:
    """Bring what nothing leads to (a second pool's start) close to what follows it."""
    entered = {link.target for link in forward}
    starts = {node.id for node in nodes if node.id not in entered}
    for node in order:
        behind = [column[link.target] - link.span for link in forward if link.source == node]
        if node in starts and behind:
            column[node] = max(0, *behind) if len(behind) == 1 else max(0, min(behind))


def _beside(nodes: Sequence[Node], column: dict[str, int]) -> None:
    """Artifacts stand in the column of their anchor, further ones to its right; lone sub-processes at the end."""
    last = max((column[node.id] + node.wide for node in nodes if node.id in column), default=0)
    column.update({node.id: last for node in nodes if node.alone})
    count: dict[str, int] = {}
    for node in nodes:
        if node.anchor:
            column[node.id] = column[node.anchor] + count.get(node.anchor, 0)
            count[node.anchor] = count.get(node.anchor, 0) + 1


def _chains(
    nodes: Sequence[Node], order: Sequence[str], forward: Sequence[Link], column: Mapping[str, int]
) -> list[_Chain]:
    """Every node in one chain, with the columns it claims, its parent chain and the artifacts above it."""
    by_id = {node.id: node for node in nodes}
    ahead: dict[str, list[Link]] = {}
    behind: dict[str, list[Link]] = {}
    for link in forward:
        if link.span and by_id[link.source].band == by_id[link.target].band:
            ahead.setdefault(link.source, []).append(link)
            behind.setdefault(link.target, []).append(link)
    depth = _depths(order, forward)
    chain_of: dict[str, _Chain] = {}
    chains: list[_Chain] = []
    place = {node: number for number, node in enumerate(order)}

    def rank(node: str) -> tuple[int, int]:
        """By columns; of branches that come up from a lower lane the first is the lowest."""
        up = any(link.target == node and by_id[link.source].band > by_id[node].band for link in forward)
        return column[node], place[node] if up else -place[node]

    for first in sorted(order, key=rank):
        if first in chain_of:
            continue
        chain = _Chain([first], column[first], column[first])
        here: str | None = first
        while here is not None:
            chain_of[here] = chain
            free = [link for link in ahead.get(here, ()) if link.target not in chain_of and not link.corner]
            here = max(free, key=lambda link: depth[link.target]).target if free else None
            if here is not None:
                chain.nodes.append(here)
        _claim(chain, behind.get(first, []), ahead.get(chain.nodes[-1], []), by_id, column)
        if behind.get(first):
            link = behind[first][0]
            chain.parent, chain.split = chain_of.get(link.source), column[link.source]
        chains.append(chain)
    for node in nodes:
        if node.alone:
            chain_of[node.id] = _Chain([node.id], column[node.id], column[node.id] + node.wide - 1)
            chains.append(chain_of[node.id])
    for node in nodes:
        if node.anchor:
            chain_of[node.anchor].above.append(_Chain([node.id], column[node.id], column[node.id]))
    return chains


def _claim(
    chain: _Chain,
    behind: Sequence[Link],
    ahead: Sequence[Link],
    by_id: Mapping[str, Node],
    column: Mapping[str, int],
) -> None:
    """Widen the chain's columns so that it can be reached and left with a single corner."""
    chain.high = column[chain.nodes[-1]] + by_id[chain.nodes[-1]].wide - 1
    for link in behind:
        source = by_id[link.source]
        corner = source.gateway or link.corner
        chain.low = min(chain.low, column[link.source] + (0 if corner else source.wide))
    for link in ahead:
        chain.high = max(chain.high, column[link.target] - (0 if by_id[link.target].gateway else 1))


def _depths(order: Sequence[str], forward: Sequence[Link]) -> dict[str, int]:
    """The number of steps that still follow each node on its longest way."""
    depth = dict.fromkeys(order, 0)
    ahead: dict[str, list[str]] = {}
    for link in forward:
        ahead.setdefault(link.source, []).append(link.target)
    for node in reversed(order):
        depth[node] = max((depth[target] + 1 for target in ahead.get(node, ())), default=0)
    return depth


def _sequences(chains: Sequence[_Chain], bands: int, band_of: Mapping[str, int]) -> list[list[_Chain]]:
    """Each band's chains from top to bottom."""
    roots: list[list[_Chain]] = [[] for _ in range(bands)]
    for chain in chains:
        if chain.parent is None or chain.parent is chain:
            roots[band_of[chain.nodes[0]]].append(chain)
        else:
            chain.parent.below.append(chain)
    sequences = []
    for band in roots:
        sequence: list[_Chain] = []
        stack = band[::-1]
        while stack:
            chain = stack.pop()
            sequence += [*chain.above, chain]
            # The branch that leaves last lies nearest; of one gateway's branches the first.
            stack += sorted(chain.below, key=lambda below: -below.split)[::-1]
        sequences.append(sequence)
    return sequences
