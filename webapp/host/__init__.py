"""Latchkey inside another Flask application: in front of it, never within it."""
