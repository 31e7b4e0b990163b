"""Pretend providers: Google, Apple, Facebook and GitHub, played for work without the internet."""
