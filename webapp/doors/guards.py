"""Who may come in: guards that read like the sentence they enforce, the same at every door.

    @blueprint.delete("/people/<person_id>")
    @requires_role("admin")
    def remove(person_id: str) -> Response: ...

A guard raises, and :mod:`webapp.doors.refusals` says it in the door's own way: pages send people to
sign in, to show their password, or through refresh and back; JSON answers problem details.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import Blueprint, Flask, current_app, request

from webapp.doors.credentials import Principal, require_principal
from webapp.errors import EmailNotVerified, Forbidden
from webapp.services.access import account_of
from webapp.services.reauthentication import RECENT, check_recent_sign_in

P = ParamSpec("P")
R = TypeVar("R")

_GUARDS, _PUBLIC, _SEEN = "latchkey_guards", "latchkey_is_public", "latchkey.principal"


class Guard:
    """A condition on whoever sends a request: decorates a view, or is given to :func:`guard`.

    Every guard asks for a sign-in first, so that none has to be remembered beside another.
    """

    def __init__(self, name: str, check: Callable[[Principal], None]) -> None:
        """Name the condition.

        :param check: raises an AuthError for whoever does not meet it.
        """
        self.name = name
        self._check = check

    def __call__(self, view: Callable[P, R]) -> Callable[P, R]:
        """Let into a view only whoever meets the condition."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            self.check()
            return view(*args, **kwargs)

        setattr(guarded, _GUARDS, (self, *guards_on(view)))
        return guarded

    def __repr__(self) -> str:
        return f"<guard {self.name}>"

    def check(self) -> None:
        """Refuse the request at hand unless whoever sends it meets the condition.

        :raises AuthError: NotSignedIn, TokenInvalid, TokenExpired, TokenRevoked, CsrfFailed, or
            what the guard is about.
        """
        self._check(_principal_of_request())


# Lets in whoever is signed in, by bearer token, or by cookie and CSRF token. No SQL.
signed_in = Guard("signed_in", lambda principal: None)


def requires_role(role: str) -> Guard:
    """Let in whoever has a role; the access token says so, which takes no SQL.

    A change of roles makes the tokens from before it expire, on every worker within about a second.
    """

    def check(principal: Principal) -> None:
        if role not in principal.claims.roles:
            raise Forbidden

    return Guard(f"requires_role({role})", check)


def _check_verified(principal: Principal) -> None:
    if not account_of(principal.claims).email_verified:
        raise EmailNotVerified


# Lets in whoever has proved their address. The claims of a token do not tell: this reads the
# account, one SQL statement a request.
requires_verified_email = Guard("requires_verified_email", _check_verified)


def requires_recent_sign_in(minutes: float = RECENT.total_seconds() / 60) -> Guard:
    """Let in whoever has signed in, or shown the password again, lately (ASVS 7.5.1). No SQL."""
    recent = timedelta(minutes=minutes)
    return Guard(
        f"requires_recent_sign_in({minutes:g})",
        lambda principal: check_recent_sign_in(principal.claims, recent),
    )


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view as open to everybody, also on a blueprint or in an application with a guard."""
    setattr(view, _PUBLIC, True)
    return view


def guard(where: Flask | Blueprint, *guards: Guard) -> None:
    """Have every view of a blueprint, or of a whole application, ask for something.

    Views marked :func:`public` are left out; so is an address that nothing answers at. Static
    files are views, too: `public(app.view_functions["static"])`.
    """

    def gate() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if view is not None and not is_public(view):
            for each in guards:
                each.check()

    setattr(gate, _GUARDS, guards)
    where.before_request(gate)
    if isinstance(where, Blueprint) and not hasattr(where, "enable_openapi"):
        # APIFlask asks this of every blueprint that has something to do before a request.
        setattr(where, "enable_openapi", False)  # noqa: B010 (Flask's own type has no such name)


def guards_of(app: Flask, endpoint: str) -> tuple[Guard, ...]:
    """Return what a route asks for: by its application, its blueprints and its view."""
    view = app.view_functions[endpoint]
    if is_public(view):
        return ()
    parts = endpoint.split(".")[:-1]
    scopes = [None, *(".".join(parts[: n + 1]) for n in range(len(parts)))]
    gates = [gate for scope in scopes for gate in app.before_request_funcs.get(scope, ())]
    return (*(each for gate in gates for each in guards_on(gate)), *guards_on(view))


def guards_on(function: Callable[..., Any]) -> tuple[Guard, ...]:
    """Return the guards that a view or a gate carries itself."""
    return cast(tuple[Guard, ...], getattr(function, _GUARDS, ()))


def is_public(view: Callable[..., Any]) -> bool:
    """Whether a view is marked as open to everybody."""
    return getattr(view, _PUBLIC, False) is True


def _principal_of_request() -> Principal:
    """Return who is signed in; the token is read once a request, however many guards ask."""
    found = request.environ.get(_SEEN)
    if found is None:
        found = request.environ[_SEEN] = require_principal()
    return cast(Principal, found)
