"""Admin: the pages of those who look after accounts, the audit log and the outbox."""
