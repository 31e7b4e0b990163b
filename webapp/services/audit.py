"""The audit trail: every security event with who, what, when and from where."""

import logging

from webapp import clock
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.parts import parts
from webapp.stores import audit
from webapp.stores.audit import AuditEvent
from webapp.stores.transactions import on_commit

logger = logging.getLogger(__name__)


def record(  # noqa: PLR0913 (an event has this many sides)
    event: str,
    client: Client,
    *,
    user_id: str | None = None,
    actor_id: str | None = None,
    session_id: str | None = None,
    detail: str = "",
) -> None:
    """Append an event, in the transaction of what it tells about.

    :param event: what happened, in the past tense, such as `signed_in`.
    :param actor_id: who did it, where that is not the person whose account it is about.
    :param detail: a reason in our own words; never what somebody typed.
    """
    audit.add(
        AuditEvent(
            id=new_id(),
            at=clock.now(),
            event=event,
            user_id=user_id,
            actor_id=actor_id,
            session_id=session_id,
            ip=client.ip,
            user_agent=client.user_agent,
            detail=detail,
        )
    )
    on_commit(lambda: parts().metrics.count_event(event, detail))
    logger.info(
        "audit %s user=%s by=%s session=%s ip=%s %s",
        event,
        user_id,
        actor_id or user_id,
        session_id,
        client.ip,
        detail,
    )
