"""Rehearsals: the engine itself, through the same `app.do`, on a private database and a virtual clock.

`run` plays a bare diagram; `courses.play` plays a procedure's scenarios.
"""

from engine.rehearsal.diagrams import ZONE, Rehearsal, run
from engine.rehearsal.waiting import Wait

__all__ = ["ZONE", "Rehearsal", "Wait", "run"]
