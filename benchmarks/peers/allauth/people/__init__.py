"""The Django app of this peer: its user model and its API."""
