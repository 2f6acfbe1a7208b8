"""Tests of documents: what is written is read back by other libraries than those that wrote it."""
