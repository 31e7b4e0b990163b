"""What the rooms have in common: passwords, tokens, sessions, mail and the rest. No HTTP here."""
