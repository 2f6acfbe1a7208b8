"""Mutants: every `must` of every procedure is broken on purpose, and a scenario that its clause names has to notice.

`python -m tests.mutation PROCEDURE` prints what became of each; clauses.yaml in docs/formats.md says how a clause
declares mutants of its own.
"""
