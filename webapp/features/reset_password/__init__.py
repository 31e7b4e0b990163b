"""Reset a password: get back in with the mail."""
