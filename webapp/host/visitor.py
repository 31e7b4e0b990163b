"""Who the host's request at hand comes from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from flask import abort, request

from webapp.doors import csrf
from webapp.doors.credentials import Principal
from webapp.doors.pages.paths import own, this_path, with_next
from webapp.doors.sources import Shown, shown_token
from webapp.errors import AuthError
from webapp.host.answers import refuse
from webapp.host.mounted import Guard, mounted
from webapp.services.access import account_of, authenticate
from webapp.services.records import Account

# In the request's environ, since `g` outlives a request that is made inside an application context,
# as tests of hosts do. No header of a client can have these names.
_PRINCIPAL, _USER = "latchkey.principal", "latchkey.user"


@dataclass(frozen=True, slots=True)
class User:
    """A person who has an account, as a host may show them."""

    id: str
    email: str
    email_verified: bool
    name: str
    roles: tuple[str, ...]
    created_at: datetime

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            email_verified=account.email_verified,
            name=account.name,
            roles=account.roles,
            created_at=account.created_at,
        )


def identify(guard: Guard, shown: Shown) -> Principal:
    """Find out who sends the request; no store is asked.

    :raises AuthError: NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked, CsrfFailed, or
        TemporarilyUnavailable.
    """
    is_checked = shown.is_sent_unasked and request.method not in csrf.SAFE_METHODS
    # Read here, where the host's limits and its ways of reading bodies hold.
    token = csrf.presented() if is_checked else ""
    with mounted().app.app_context():
        claims = authenticate(shown.encoded, guard.verifier)
        if is_checked:
            csrf.check_origin()
            csrf.check_session(claims.session_id, token)
    principal = Principal(claims, is_by_cookie=shown.is_sent_unasked)
    request.environ[_PRINCIPAL] = principal
    return principal


def current_principal() -> Principal | None:
    """Return who is signed in, as the token says it, behind a guard; None behind none."""
    principal: Principal | None = request.environ.get(_PRINCIPAL)
    return principal


def current_user() -> User | None:
    """Return the account of whoever is signed in, read once a request; None behind no guard.

    Somebody whose account was shut within the last second is answered as if not signed in.
    """
    principal = current_principal()
    if principal is None:
        return None
    if _USER not in request.environ:
        try:
            with mounted().app.app_context():
                user = User.of(account_of(principal.claims))
        except AuthError as error:
            guard = mounted().guard_of_request()
            abort(refuse(error, guard.is_helped_by_pages(shown_token(guard.sources))))
        request.environ[_USER] = user
    found: User = request.environ[_USER]
    return found


def csrf_token() -> str:
    """Return the token for the forms of a page that is shown to whoever is signed in by cookie.

    It goes into a hidden field `csrf_token`, or `latchkey_token` where the host's own protection
    has that name. For everybody else it is empty.
    """
    principal = current_principal()
    if principal is None or not principal.is_by_cookie:
        return ""
    with mounted().app.app_context():
        return csrf.token_for_session(principal.claims.session_id)


def sign_in_path() -> str:
    """Return where a link "Sign in" leads, and back here."""
    with mounted().app.app_context():
        return with_next("/login", this_path())


def sign_out_path() -> str:
    """Return where a form "Sign out" is sent, with its token."""
    with mounted().app.app_context():
        return own("/logout")
