"""Devices: where one is signed in, and how to end it."""
