"""There is nothing to fill: this app has no database."""
