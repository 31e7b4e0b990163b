"""The development mailbox: mail that would have been sent, to read in the browser."""
