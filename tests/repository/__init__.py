"""Tests about the repository itself: what may be committed, and what its code may reach for."""
