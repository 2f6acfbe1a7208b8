"""The command line: a module a noun. Each command parses, calls `app.do` or a query, and prints."""
