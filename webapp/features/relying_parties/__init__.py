"""Relying parties: services that trust our tokens, and proxies that ask before they let in."""
