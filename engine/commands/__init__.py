"""What can be asked of the engine, a module a noun: frozen commands, and the functions that carry them out."""
