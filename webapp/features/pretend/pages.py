"""The consent page of a pretend provider; rooms.py leaves it out in production."""

from flask import Blueprint, Response, request

from webapp.doors import headers
from webapp.doors.guards import public
from webapp.doors.pages.paths import this_path
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.features.pretend import flow
from webapp.features.pretend.flow import Answer, AuthorizationRequest, UnsafeRequest
from webapp.features.pretend.forms import ConsentForm
from webapp.features.pretend.oauth import OAuthError
from webapp.features.pretend.people import Choice, samples_of

blueprint = Blueprint("pretend", __name__, url_prefix="/dev/providers")


@blueprint.get("/<any(google, apple):name>/authorize")
@blueprint.get("/facebook/dialog/oauth", defaults={"name": "facebook"})
@blueprint.get("/github/login/oauth/authorize", defaults={"name": "github"})
@public
def ask(name: str) -> Response:
    """Ask somebody whether an app may know who they are."""
    asked = flow.read_request(flow.find_provider(name), request.args)
    try:
        flow.check_request(asked)
    except OAuthError as error:
        return _send(asked, flow.refuse(asked, error))
    return _consent_page(asked, _form(asked))


@blueprint.post("/<any(google, apple):name>/authorize")
@blueprint.post("/facebook/dialog/oauth", defaults={"name": "facebook"})
@blueprint.post("/github/login/oauth/authorize", defaults={"name": "github"})
@public
def answer(name: str) -> Response:
    """Take the answer to the app; what it asked for stands in the address still."""
    asked = flow.read_request(flow.find_provider(name), request.args)
    form = _form(asked)
    answered = form.submit(lambda: _answer(asked, form))
    return _send(asked, answered) if answered else _consent_page(asked, form)


@blueprint.errorhandler(UnsafeRequest)
def refuse(error: UnsafeRequest) -> Response:
    """Tell the person that the app asked in a wrong way; the browser goes nowhere from here."""
    return page("pretend/refused.html", 400, error=error)


def _answer(asked: AuthorizationRequest, form: ConsentForm) -> Answer:
    if form.answer.data == "cancel":
        return flow.cancel(asked)
    try:
        flow.check_request(asked)
    except OAuthError as error:
        return flow.refuse(asked, error)
    choice = Choice(
        person=form.person.data or "",
        name=form.name.data or "",
        email=form.email.data or "",
        address=form.address.data or "",
    )
    return flow.allow(asked, choice, is_first_time=bool(form.first_time.data))


def _form(asked: AuthorizationRequest) -> ConsentForm:
    form = ConsentForm()
    form.prefill(next(iter(samples_of(asked.provider.name))), asked.login_hint)
    return form


def _consent_page(asked: AuthorizationRequest, form: ConsentForm) -> Response:
    headers.let_forms_lead_to(flow.origin_of(asked.redirect_uri))
    return form_page(
        "pretend/consent.html",
        form,
        provider=asked.provider,
        samples=samples_of(asked.provider.name),
        action=this_path(),
    )


def _send(asked: AuthorizationRequest, answered: Answer) -> Response:
    """Send the browser back to the app: by its address, or with a form that it posts there."""
    if not answered.is_form:
        return see_other(answered.url)
    headers.let_forms_lead_to(flow.origin_of(answered.redirect_uri))
    return page("pretend/form_post.html", provider=asked.provider, answer=answered)
