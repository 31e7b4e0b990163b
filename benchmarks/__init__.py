"""Latchkey measured: beside its peers, beside its limits, and as it grows."""
