"""Latchkey: a self-hosted sign-in for web apps."""
