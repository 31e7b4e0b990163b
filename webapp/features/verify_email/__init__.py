"""Verify an email address: prove that one reads its mail."""
