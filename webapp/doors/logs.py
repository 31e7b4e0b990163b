"""The log: one line an event, each with the request's id, and none that input could forge."""

import logging
import sys

from flask import g, has_request_context, request

from webapp.doors.statuses import Refusal

logger = logging.getLogger(__name__)


class RequestLine(logging.Formatter):
    """Adds the request's id, and marks every further line as belonging to the first."""

    def __init__(self) -> None:
        """Set the format."""
        super().__init__("%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record; whatever breaks the line in it is shown as the start of a new one."""
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return "\n    | ".join(super().format(record).splitlines())


def prepare() -> None:
    """Send what Latchkey logs to standard error, unless a host application has set logging up."""
    logger = logging.getLogger("webapp")
    if logger.handlers or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RequestLine())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def note_refusal(error: Exception, refusal: Refusal) -> None:
    """Log what an operator has to know of: our own mistakes, and stores that are down."""
    if refusal.status == 500:
        where = (g.get("request_id", ""), request.method, request.path)
        logger.error("unexpected error %s at %s %s", *where, exc_info=error)
    elif refusal.status == 503:
        logger.warning("unavailable: %r, by %r", error, error.__cause__)
