"""Migrations of the tables: one linear history, run by `engine.store.connect`."""
