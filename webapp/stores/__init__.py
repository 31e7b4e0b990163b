"""Queries only: what is kept, and how it is read and changed. Rules live above."""
