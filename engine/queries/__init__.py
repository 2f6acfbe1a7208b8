"""What can be read, a module a noun: functions of a reading connection to frozen rows. No writes, no locks.

A list costs a fixed number of statements, however long it is.
"""
