"""The HTML door: server-rendered pages that need no JavaScript."""
