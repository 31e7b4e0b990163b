"""Sign up: make an account."""
