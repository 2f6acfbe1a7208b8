"""Notices: who is told what of what happened, by mail or in a group chat, and what became of each message."""
