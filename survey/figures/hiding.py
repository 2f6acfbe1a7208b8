"""Which groups of a round that is not named may not be shown, so that no small group can be seen or worked out.

A group of fewer than `LEAST` answer sets is hidden; and because totals are shown, so are further groups, the
smallest first, until nothing under `LEAST` follows from what is left by adding and subtracting: not a hidden
group alone, nor the hidden ones together that lie within one shown group (the departments of a project). All that
the answers were counted by is considered at once, so everything a round shows has to come from one counting.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

from survey.figures.counting import Counts

LEAST = 5
"""Answer sets from which a group of a confidential or an anonymous round is shown."""
INDICATIVE = 30
"""Answer sets under which figures are marked as indicative."""

Group = tuple[str, str]
"""What is grouped by, and the group's name."""
MAX_ROW_GROUPS = 300
"""Combinations of groups that rows are shown with; of more, none is shown."""

_PRIME = (1 << 31) - 1

Vector = Mapping[int, int]


def hidden_groups(counts: Counts, *, named: bool | None = None) -> frozenset[Group]:
    """The groups that may not be shown; none where the questionnaire (or round) is `named`."""
    if counts.questionnaire.anonymity == "named" if named is None else named:
        return frozenset()
    sizes = [cell.returned for cell in counts.cells.values()]
    found = _Hiding(_members(counts.by, counts.cells), sizes).found()
    return frozenset((by, str(name)) for by, name in found)


def hidden_rows(by: Sequence[str], sizes: Mapping[tuple[str, ...], int]) -> frozenset[tuple[str, ...]]:
    """The combinations of groups that rows of a round may not be shown with, so that nothing small
    follows from the rows and from the figures by group together. `sizes`: how many rows there are of each.
    """
    if len(sizes) > MAX_ROW_GROUPS:
        return frozenset(sizes)
    if not by:
        return frozenset()
    members, numbers = _members(by, sizes), list(sizes.values())
    hidden = _Hiding(members, numbers).found()
    rows: dict[_Name, frozenset[int]] = {(_ROWS, key): frozenset({at}) for at, key in enumerate(sizes)}
    first = {
        (_ROWS, key)
        for key, size in sizes.items()
        if size < LEAST or not hidden.isdisjoint(zip(by, key, strict=True))
    }
    found = _Hiding({**members, **rows}, numbers, hidden | first, rows).found()
    return frozenset(key for key in sizes if (_ROWS, key) in found)


_Name = tuple[str, Hashable]
"""A group; or `_ROWS` and a combination of them."""
_ROWS = ""


def _members(by: Sequence[str], keys: Iterable[tuple[str, ...]]) -> dict[_Name, frozenset[int]]:
    """Which of the combinations belong to each group, by their places."""
    found: dict[_Name, frozenset[int]] = {}
    for number, key in enumerate(keys):
        for group in zip(by, key, strict=True):
            found[group] = found.get(group, frozenset()) | {number}
    return found


class _Hiding:
    """Hides more and more, of what may still be hidden, until nothing small can be worked out."""

    def __init__(
        self,
        members: Mapping[_Name, frozenset[int]],
        sizes: list[int],
        hidden: Collection[_Name] | None = None,
        free: Collection[_Name] | None = None,
    ) -> None:
        self.members = members
        self.sizes = sizes
        self.by_size = sorted(members, key=lambda group: (self._size(members[group]), group))
        small = (group for group in members if self._size(members[group]) < LEAST)
        self.hidden = set(small if hidden is None else hidden)
        self.free = members.keys() if free is None else free

    def found(self) -> frozenset[_Name]:
        while (revealed := self._revealed()) is not None:
            shown = [group for group in self.by_size if group not in self.hidden and group in self.free]
            near = [group for group in shown if self.members[group] & revealed] or shown
            beside = [group for group in shown if group[0] in self._kinds(revealed)]
            if not shown:  # only the whole is left, and it is small itself
                break
            self.hidden.add(next(iter(beside or near)))
        return frozenset(self.hidden)

    def _revealed(self) -> frozenset[int] | None:
        """A small set of answers that what is shown gives away."""
        everything = frozenset(range(len(self.sizes)))
        shown = {self.members[group] for group in self.members if group not in self.hidden} | {everything}
        basis: dict[int, Vector] = {}
        for each in sorted(shown, key=sorted):
            rest = _reduced(dict.fromkeys(each, 1), basis)
            if rest:
                first = min(rest)
                inverse = pow(rest[first], -1, _PRIME)
                basis[first] = {place: value * inverse % _PRIME for place, value in rest.items()}
        for each in self._protected(shown):
            if not _reduced(dict.fromkeys(each, 1), basis):
                return each
        return None

    def _protected(self, shown: Iterable[frozenset[int]]) -> list[frozenset[int]]:
        """The small hidden groups, and those that are small even together within a shown one."""
        found = [self.members[group] for group in self.by_size if group in self.hidden]
        for within in shown:
            for by in {group[0] for group in self.hidden}:
                parts = [self.members[g] for g in self.hidden if g[0] == by and self.members[g] <= within]
                found.append(frozenset().union(*parts))
        return [each for each in found if each and self._size(each) < LEAST]

    def _kinds(self, cells: frozenset[int]) -> set[str]:
        return {group[0] for group in self.hidden if self.members[group] <= cells}

    def _size(self, cells: frozenset[int]) -> int:
        return sum(self.sizes[number] for number in cells)


def _reduced(vector: Vector, basis: Mapping[int, Vector]) -> Vector:
    """What is left of the vector when all that the basis gives is taken off, modulo a prime."""
    rest = dict(vector)
    for place in sorted(basis):
        if factor := rest.get(place, 0):
            for at, value in basis[place].items():
                rest[at] = (rest.get(at, 0) - factor * value) % _PRIME
    return {place: value for place, value in rest.items() if value}
