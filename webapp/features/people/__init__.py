"""People: the sample resource, to be read as the example of one of your own (docs/tutorial.md)."""
