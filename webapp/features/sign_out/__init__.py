"""Sign out: end this sign-in, everywhere and at once."""
