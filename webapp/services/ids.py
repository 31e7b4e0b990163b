"""Ids that sort by the time they were made."""

import secrets
import uuid
from datetime import UTC, datetime, timedelta

from webapp import clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id() -> str:
    """Return a UUID version 7 (RFC 9562, section 5.7), so that inserts stay at an index's end.

    Of the bits beside the milliseconds, twelve are the fraction of one (section 6.2, method 3):
    what one process makes within a millisecond sorts by time, too.
    """
    milliseconds, rest = divmod((clock.now() - _EPOCH) // timedelta(microseconds=1), 1000)
    fraction = rest * 4096 // 1000
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))
