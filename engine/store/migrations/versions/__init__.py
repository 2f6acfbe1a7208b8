"""One file a step, numbered; written by hand, never edited once released."""
