"""The pages of administrators: looking takes the role, doing a recent sign-in, too."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import guard, requires_recent_sign_in, requires_role
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.errors import ValidationFailed
from webapp.features.admin import flow
from webapp.features.admin.forms import ChangeForm, NewAccountForm, QuestionForm
from webapp.features.admin.questions import QUESTIONS, Question
from webapp.features.connections.flow import label_of
from webapp.features.profile.events import SENTENCES
from webapp.features.users import directory
from webapp.features.users import flow as users
from webapp.features.users.directory import Listing
from webapp.services.access import account_of
from webapp.services.client import describe_user_agent
from webapp.services.paging import PAGE
from webapp.services.records import Account, AuditEvent, Session

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
guard(blueprint, requires_role("admin"))

NOTICES = {action: question.done for action, question in QUESTIONS.items()} | {
    "created": "The account is made, and a link to its first password is on its way.",
    "changed": "The account is changed.",
    "session-ended": "That sign-in has ended.",
    "retried": "The message is on its way again.",
}


@blueprint.get("")
def accounts() -> Response:
    """List the accounts, the newest first, or those that a search finds."""
    search, cursor = request.args.get("q", "").strip()[:254], request.args.get("cursor", "")
    found = directory.list_users(Listing(search, cursor, PAGE), current_principal().claims)
    return _page(
        "admin/accounts.html",
        accounts=found.items,
        query=search,
        kept=urlencode({"q": search}) if search else "",
        next_cursor=found.next_cursor,
        is_first=not cursor,
    )


@blueprint.get("/users/new")
@requires_recent_sign_in(minutes=10)
def show_new() -> Response:
    """Ask whom to make an account for."""
    return _form("admin/new.html", NewAccountForm())


@blueprint.post("/users/new")
@requires_recent_sign_in(minutes=10)
def create() -> Response:
    """Make an account; its owner gets a mail to set the first password."""
    form = NewAccountForm()
    command = users.NewUser(form.email.data or "", name=form.name.data or "")
    account = form.submit(lambda: users.create_user(command, client_of_request(), _my_id()))
    if account is None:
        return _form("admin/new.html", form)
    return see_other(own(f"/admin/users/{account.id}?notice=created"))


@blueprint.get("/users/<user_id>")
def account(user_id: str) -> Response:
    """Show one account, where it is signed in, and what happened to it."""
    dossier = flow.get_dossier(user_id)
    return _page(
        "admin/account.html",
        person=dossier.account,
        identities=[(label_of(found.provider), found) for found in dossier.identities],
        sessions=[_session(session) for session in dossier.sessions],
        events=[_event(event, dossier.people) for event in dossier.events],
    )


@blueprint.get("/users/<user_id>/edit")
@requires_recent_sign_in(minutes=10)
def show_edit(user_id: str) -> Response:
    """Ask for the name and the roles."""
    person = flow.get_dossier(user_id).account
    return _edit_page(person, ChangeForm(name=person.name, roles=list(person.roles)))


@blueprint.post("/users/<user_id>/edit")
@requires_recent_sign_in(minutes=10)
def edit(user_id: str) -> Response:
    """Give somebody another name, and other roles."""
    form = ChangeForm()
    change = users.Change(form.name.data or "", tuple(form.roles.data or ()))
    form.submit(lambda: users.change_user(user_id, change, client_of_request(), _my_id()))
    if form.refusal:
        return _edit_page(flow.get_dossier(user_id).account, form)
    return see_other(own(f"/admin/users/{user_id}?notice=changed"))


@blueprint.get("/users/<user_id>/sessions/<session_id>/end")
@requires_recent_sign_in(minutes=10)
def ask_to_end_session(user_id: str, session_id: str) -> Response:
    """Ask before somebody is signed out on one device."""
    dossier = flow.get_dossier(user_id)
    shown = [_session(session) for session in dossier.sessions if session.id == session_id]
    if not shown:  # It has ended already, which is what was wanted.
        return see_other(own(f"/admin/users/{user_id}?notice=session-ended"))
    return _form("admin/end_session.html", QuestionForm(), person=dossier.account, session=shown[0])


@blueprint.post("/users/<user_id>/sessions/<session_id>/end")
@requires_recent_sign_in(minutes=10)
def end_session(user_id: str, session_id: str) -> Response:
    """Sign somebody out on one device."""
    form = QuestionForm()
    form.submit(lambda: flow.end_session(user_id, session_id, client_of_request(), _my_id()))
    if form.refusal:
        return ask_to_end_session(user_id, session_id)
    return see_other(own(f"/admin/users/{user_id}?notice=session-ended"))


@blueprint.get("/audit")
def audit_log() -> Response:
    """Show what happened, the newest first."""
    typed = {name: request.args.get(name, "").strip() for name in flow.Filter.__dataclass_fields__}
    if typed["event"] not in SENTENCES:
        typed["event"] = ""
    cursor, problems, log = request.args.get("cursor", ""), {}, None
    try:
        log = flow.list_events(flow.Filter(**typed), cursor)
    except ValidationFailed as error:
        problems = {item.field: item.message for item in error.errors}
    return _page(
        "admin/audit.html",
        status=422 if problems else 200,
        events=[_event(event, log.people) for event in log.page.items] if log else [],
        next_cursor=log.page.next_cursor if log else None,
        is_first=not cursor,
        kept=urlencode({name: value for name, value in typed.items() if value}),
        typed=typed,
        problems=problems,
        names=sorted((event, _words(event)) for event in SENTENCES),
    )


@blueprint.get("/outbox")
def outbox() -> Response:
    """Show the mail, the newest first, and how far each message has come."""
    cursor, is_failed_only = request.args.get("cursor", ""), request.args.get("failed") == "1"
    found = flow.list_mail(is_failed_only, cursor)
    return _page(
        "admin/outbox.html",
        messages=found.items,
        next_cursor=found.next_cursor,
        is_first=not cursor,
        is_failed_only=is_failed_only,
        kept="failed=1" if is_failed_only else "",
    )


@blueprint.get("/outbox/<message_id>/retry")
@requires_recent_sign_in(minutes=10)
def ask_to_retry(message_id: str) -> Response:
    """Ask before a message is tried again."""
    return _form("admin/retry.html", QuestionForm(), message=flow.get_mail(message_id))


@blueprint.post("/outbox/<message_id>/retry")
@requires_recent_sign_in(minutes=10)
def retry(message_id: str) -> Response:
    """Have a message that was given up tried again."""
    form = QuestionForm()
    form.submit(lambda: flow.retry_mail(message_id, client_of_request(), _my_id()))
    if form.refusal:
        return _form("admin/retry.html", form, message=flow.get_mail(message_id))
    return see_other(own("/admin/outbox?notice=retried"))


@requires_recent_sign_in(minutes=10)
def ask(action: str, user_id: str) -> Response:
    """Ask before something is done to an account."""
    return _question_page(QUESTIONS[action], action, user_id, QuestionForm())


@requires_recent_sign_in(minutes=10)
def answer(action: str, user_id: str) -> Response:
    """Do what the page asked about."""
    form, question = QuestionForm(), QUESTIONS[action]
    form.submit(lambda: question.do(user_id, client_of_request(), _my_id()))
    if form.refusal:
        return _question_page(question, action, user_id, form)
    return see_other(own(f"/admin/users/{user_id}?notice={action}"))


for _action in QUESTIONS:
    for _view, _method in ((ask, "GET"), (answer, "POST")):
        blueprint.add_url_rule(
            f"/users/<user_id>/{_action}",
            f"{_view.__name__}_{_action}".replace("-", "_"),
            _view,
            methods=[_method],
            defaults={"action": _action},
        )


def _question_page(question: Question, action: str, user_id: str, form: QuestionForm) -> Response:
    person = flow.get_dossier(user_id).account
    return _form("admin/question.html", form, question=question, action=action, person=person)


def _edit_page(person: Account, form: ChangeForm) -> Response:
    form.roles.choices = [(role, role) for role in flow.list_roles() if role != "user"]
    return _form("admin/edit.html", form, person=person)


def _page(template: str, status: int = 200, **context: Any) -> Response:
    notice = NOTICES.get(request.args.get("notice", ""))
    return page(template, status, account=_me(), notice=notice, **context)


def _form(template: str, form: Any, **context: Any) -> Response:
    return form_page(template, form, account=_me(), **context)


def _me() -> Account:
    return account_of(current_principal().claims)


def _my_id() -> str:
    return current_principal().claims.user_id


def _session(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "label": describe_user_agent(session.user_agent),
        "ip": session.ip,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": session.expires_at,
    }


def _event(event: AuditEvent, people: dict[str, str]) -> dict[str, Any]:
    """Return an event to show; whoever is erased goes by the end of their id."""
    return {
        "words": _words(event.event),
        "at": event.at,
        "person_id": event.user_id if event.user_id in people else None,
        "person": _name_of(event.user_id, people),
        "actor_id": event.actor_id if event.actor_id in people else None,
        "actor": _name_of(event.actor_id, people),
        "label": describe_user_agent(event.user_agent),
        "ip": event.ip,
        "detail": event.detail,
    }


def _name_of(user_id: str | None, people: dict[str, str]) -> str | None:
    return people.get(user_id, f"erased, …{user_id[-12:]}") if user_id else None


def _words(event: str) -> str:
    return event.replace("_", " ").capitalize()
