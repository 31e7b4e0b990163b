"""Change the password."""
