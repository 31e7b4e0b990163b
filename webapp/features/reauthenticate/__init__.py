"""Reauthenticate: show the password again before something that matters."""
