"""Profile: one's own account."""
