"""What changes the survey domain from outside an instance: rosters, draws, the ledger, returns.

All go through `app.do` like everything else, so each is one transaction and one entry of the journal; the entry
names codes and counts, and personal values only as marks that can be erased.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.commands.core import Command, Context
from survey.commands import callbacks, rosters, rounds
from survey.commands.callbacks import CallbacksTaken, ImportCallbacks, LogCallback
from survey.commands.rosters import EraseRespondent, Exclude, ImportRoster, RosterTaken
from survey.commands.rounds import (
    CloseRound,
    Correct,
    DrawSample,
    ImportReturns,
    OpenRound,
    Record,
    ReturnsTaken,
)

__all__ = [
    "COMMANDS",
    "CallbacksTaken",
    "CloseRound",
    "Correct",
    "DrawSample",
    "EraseRespondent",
    "Exclude",
    "ImportCallbacks",
    "ImportReturns",
    "ImportRoster",
    "LogCallback",
    "OpenRound",
    "Record",
    "ReturnsTaken",
    "RosterTaken",
]

COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    **rosters.COMMANDS,
    **rounds.COMMANDS,
    **callbacks.COMMANDS,
}
