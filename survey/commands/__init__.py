"""What changes the survey domain from outside an instance: rosters, draws, the ledger, returns.

All go through `app.do` like everything else, so each is one transaction and one entry of the journal; the entry
names codes and counts, and personal values only as marks that can be erased.
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.commands.core import Command, Context
from survey.commands import answers, callbacks, rosters, rounds
from survey.commands.answers import CorrectAnswers, ImportReturns, ReturnsTaken
from survey.commands.callbacks import CallbacksTaken, ImportCallbacks, LogCallback
from survey.commands.rosters import EraseRespondent, Exclude, ImportRoster, NoteReading, RosterTaken
from survey.commands.rounds import CloseRound, DrawSample, OpenRound, Record

__all__ = [
    "COMMANDS",
    "CallbacksTaken",
    "CloseRound",
    "CorrectAnswers",
    "DrawSample",
    "EraseRespondent",
    "Exclude",
    "ImportCallbacks",
    "ImportReturns",
    "ImportRoster",
    "LogCallback",
    "NoteReading",
    "OpenRound",
    "Record",
    "ReturnsTaken",
    "RosterTaken",
]

COMMANDS: Mapping[type[Command], Callable[[Any, Context], Any]] = {
    **rosters.COMMANDS,
    **rounds.COMMANDS,
    **answers.COMMANDS,
    **callbacks.COMMANDS,
}
