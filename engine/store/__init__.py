"""The database: its tables, the way in, and the history that can be checked.

The only place that opens a transaction. SQLAlchemy Core, no ORM; SQLite and PostgreSQL with the same code.
"""

from engine.store.connect import Store, open_store

__all__ = ["Store", "open_store"]
