"""Change the email address."""
