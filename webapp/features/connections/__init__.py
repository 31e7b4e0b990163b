"""Connections: the providers that sign in to one's account, linked and unlinked."""
