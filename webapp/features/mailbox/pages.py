"""The development mailbox; rooms.py leaves it out in production."""

from flask import Blueprint, Response, request

from webapp.doors.guards import public
from webapp.doors.pages.rendering import page
from webapp.features.mailbox import flow
from webapp.services.records import Message

blueprint = Blueprint("mailbox", __name__, url_prefix="/dev/mailbox")


@blueprint.get("")
@public
def mailbox() -> Response:
    """Show the newest messages with their links."""
    query = request.args.get("q", "").strip().lower().replace("\0", "")
    messages = [_shown(message) for message in flow.list_messages(query)]
    return page("mailbox/mailbox.html", messages=messages, query=query)


@blueprint.get("/<message_id>")
@public
def message(message_id: str) -> Response:
    """Show one message as a mail program would."""
    return page("mailbox/message.html", message=_shown(flow.get_message(message_id)))


@blueprint.get("/<message_id>/html")
@public
def message_html(message_id: str) -> Response:
    """Return the HTML of a message for a sandboxed frame; mail has its styles within."""
    response = Response(flow.get_message(message_id).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _shown(message: Message) -> dict[str, object]:
    status = "waiting" if message.due_at else "kept here"
    return {
        "id": message.id,
        "to": message.recipient,
        "subject": message.subject,
        "text": message.text,
        "created_at": message.created_at,
        "status": "delivered" if message.delivered_at else message.last_error or status,
    }
