"""What signs in to one's account, on pages."""

from flask import Blueprint, Response, request

from webapp.doors.client import client_of_request
from webapp.doors.credentials import current_principal
from webapp.doors.guards import requires_recent_sign_in, signed_in
from webapp.doors.pages.forms import LinkForm
from webapp.doors.pages.paths import own
from webapp.doors.pages.rendering import form_page, page, see_other
from webapp.errors import NotFound
from webapp.features.connections import flow
from webapp.features.social import browser
from webapp.features.social.buttons import provider_buttons
from webapp.features.social.flow import get_provider
from webapp.services.access import account_of

blueprint = Blueprint("connections", __name__)

CONNECTIONS = "/account/connections"
NOTICES = {
    "linked": "It is connected. You can sign in with it from now on.",
    "unlinked": "It is disconnected. It does not sign in to your account any more.",
}


@blueprint.get(CONNECTIONS)
@signed_in
def show() -> Response:
    """Show what is connected, and what can be."""
    claims = current_principal().claims
    account = account_of(claims)
    linked = {item.provider: item for item in flow.list_identities(claims)}
    buttons = provider_buttons(own(CONNECTIONS), "connect")
    return page(
        "connections/connections.html",
        account=account,
        identities=[
            {
                "provider": item.provider,
                "label": flow.label_of(item.provider),
                "email": item.email,
                "linked_at": item.linked_at,
                "last_used_at": item.last_used_at,
            }
            for item in linked.values()
        ],
        providers=[button for button in buttons if button.id not in linked],
        has_password=account.password_hash is not None,
        notice=NOTICES.get(request.args.get("notice", "")),
    )


@blueprint.get(f"{CONNECTIONS}/link")
@requires_recent_sign_in()
def show_link() -> Response:
    """Show who would be connected: whoever came from the provider need not be this person."""
    return _link_page(LinkForm())


@blueprint.post(f"{CONNECTIONS}/link")
@requires_recent_sign_in()
def link() -> Response:
    """Connect them."""
    waiting = browser.require_waiting()
    form = LinkForm()
    claims = current_principal().claims
    form.submit(lambda: flow.link(waiting.identity, claims, client_of_request()))
    if form.refusal:
        return _link_page(form)
    response = see_other(own(f"{CONNECTIONS}?notice=linked"))
    browser.forget_waiting(response)
    return response


@blueprint.get(f"{CONNECTIONS}/<provider_id>/unlink")
@requires_recent_sign_in()
def show_unlink(provider_id: str) -> Response:
    """Ask whether it is to be disconnected."""
    return _unlink_page(LinkForm(), provider_id)


@blueprint.post(f"{CONNECTIONS}/<provider_id>/unlink")
@requires_recent_sign_in()
def unlink(provider_id: str) -> Response:
    """Disconnect it."""
    form = LinkForm()
    claims = current_principal().claims
    form.submit(lambda: flow.unlink(provider_id, claims, client_of_request()))
    if form.refusal:
        return _unlink_page(form, provider_id)
    return see_other(own(f"{CONNECTIONS}?notice=unlinked"))


def _link_page(form: LinkForm) -> Response:
    waiting = browser.find_waiting()
    if waiting is None:
        return see_other(own(CONNECTIONS))
    return form_page(
        "connections/link.html",
        form,
        account=account_of(current_principal().claims),
        label=get_provider(waiting.identity.provider).label,
        email=waiting.identity.email,
        name=waiting.identity.name,
    )


def _unlink_page(form: LinkForm, provider_id: str) -> Response:
    claims = current_principal().claims
    found = [item for item in flow.list_identities(claims) if item.provider == provider_id]
    if not found:
        raise NotFound
    return form_page(
        "connections/unlink.html",
        form,
        account=account_of(claims),
        provider=provider_id,
        label=flow.label_of(provider_id),
        email=found[0].email,
    )
