"""Refresh: stay signed in."""
