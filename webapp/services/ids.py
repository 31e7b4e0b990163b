"""Ids that sort by the time they were made."""

import os
import uuid

from webapp import clock


def new_id() -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7), so that inserts stay at an index's end."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
