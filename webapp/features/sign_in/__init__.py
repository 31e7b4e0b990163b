"""Sign in: prove who you are with a password."""
