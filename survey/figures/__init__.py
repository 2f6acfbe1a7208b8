"""Figures: what a round comes to, with the method and the base of every number. Pure: answers in, values out.

`count` or `Counting` turns answer sets into `Counts`, which add up; all else follows from those: `figures` (items,
fields, whole), `cross` (by group), `consistency`, `priorities`, and from several rounds `trend`. Decisions are taken on
exact fractions and counts; floats are left to intervals and tests. docs/figures.md says what is computed how.
"""

from survey.figures.counting import Answers, Counting, Counts, count
from survey.figures.cross import ChiSquare, CrossRow, CrossTable, chi_square, cross
from survey.figures.delphi import Concordance, Opinion, concordance, furthest, opinion
from survey.figures.hiding import INDICATIVE, LEAST, hidden_groups, hidden_rows
from survey.figures.intervals import Interval, correction, mean_interval, normal, ratio, wilson
from survey.figures.methods import (
    MEAN_ANSWERS,
    MEAN_DEPARTMENTS,
    METHODS,
    TOP2_ANSWERED,
    TOP2_RETURNED,
    Method,
    method,
    method_of,
)
from survey.figures.printing import decimal, percent, shown
from survey.figures.report import WHOLE, Figures, Line, Rate, figures, mean_of, summarise, weighted
from survey.figures.response import Outcomes, Quota, outcomes, quota, to_issue
from survey.figures.structure import QUADRANTS, Consistency, Priority, consistency, priorities
from survey.figures.tally import Levels, Tally, index, levels_of, pool
from survey.figures.texts import Remarks, open_texts, wordless
from survey.figures.trend import Trend, TrendLine, Wave, trend
from survey.figures.weighting import System, overall, system_of, unbalanced

__all__ = [
    "INDICATIVE", "LEAST", "MEAN_ANSWERS", "MEAN_DEPARTMENTS", "METHODS", "QUADRANTS", "TOP2_ANSWERED",
    "TOP2_RETURNED", "WHOLE", "Answers", "ChiSquare", "Concordance", "Consistency", "Counting", "Counts",
    "CrossRow", "CrossTable", "Figures", "Interval", "Levels", "Line", "Method", "Opinion", "Outcomes",
    "Priority", "Quota", "Rate", "Remarks", "System", "Tally", "Trend", "TrendLine", "Wave", "chi_square",
    "concordance", "consistency", "correction", "count", "cross", "decimal", "figures", "furthest",
    "hidden_groups", "hidden_rows", "index", "levels_of", "mean_interval", "mean_of", "method", "method_of", "normal",
    "open_texts", "opinion", "outcomes", "overall", "percent", "pool", "priorities", "quota", "ratio",
    "shown", "summarise", "system_of", "to_issue", "trend", "unbalanced", "weighted", "wilson", "wordless",
]  # fmt: skip
