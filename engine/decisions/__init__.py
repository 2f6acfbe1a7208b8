"""Decision tables (DMN 1.1 to 1.5): a .dmn file read into values, and a table asked what it says.

    reading    the XML into decisions, every fault with its table, rule and column (document, tables)
    cells      what stands in a cell: the tests of simple FEEL (DMN 1.3, clause 9), values of our own language
    overlaps   which rules of a table can apply at once
    deciding   a table and those it requires, for given variables: hit policies, and which rules applied

A table decides by its cells alone: they call no functions but those of the language, and change nothing.
"""

from engine.decisions.deciding import Made, decide
from engine.decisions.model import MAPPINGS, Decision, Input, Output, Rule
from engine.decisions.overlaps import overlapping
from engine.decisions.reading import read_decisions

__all__ = [
    "MAPPINGS",
    "Decision",
    "Input",
    "Made",
    "Output",
    "Rule",
    "decide",
    "overlapping",
    "read_decisions",
]
