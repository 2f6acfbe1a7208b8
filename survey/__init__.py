"""The survey domain: rosters, rounds, returns and figures. Its statistics are pure functions.

It changes things only through `app.do`, by the commands of `survey.commands` and the handlers of `tasks`.
"""
