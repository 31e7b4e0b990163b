"""How pages come to be: templates, what they all know, and the error page."""

from datetime import datetime
from typing import Any

from flask import Flask, Response, g, render_template, request
from markupsafe import Markup

from config import Settings
from webapp import clock
from webapp.doors.headers import csp_nonce
from webapp.doors.pages.forms import Form, page_csrf_token
from webapp.doors.pages.paths import own, safe_next, this_path
from webapp.doors.statuses import Refusal
from webapp.services.colours import ink_on
from webapp.services.mailer import exact_time
from webapp.services.records import Account


def page(
    template: str, status: int = 200, account: Account | None = None, **context: Any
) -> Response:
    """Render a page.

    :param account: whoever is signed in, for the header.
    """
    return Response(render_template(template, account=account, **context), status)


def form_page(template: str, form: Form, **context: Any) -> Response:
    """Render a page with a form, new or refused."""
    response = page(template, form.refusal.status if form.refusal else 200, form=form, **context)
    if form.refusal:
        response.headers.extend(form.refusal.headers)
    return response


def error_page(refusal: Refusal) -> Response:
    """Render a refusal; the number at the bottom is the one that the log knows it by."""
    can_be_retried = refusal.status == 503 and request.method == "GET"
    response = page(
        "errors/error.html",
        refusal.status,
        title=refusal.title,
        sentence=refusal.detail,
        request_id=g.get("request_id", ""),
        action_url=safe_next(this_path(), own("/")) if can_be_retried else own("/"),
        action_label="Try again" if can_be_retried else "Go to the start page",
    )
    response.headers.extend(refusal.headers)
    return response


def see_other(path: str) -> Response:
    """Send the browser on with a GET."""
    return send_to(path, 303)


def send_to(path: str, status: int) -> Response:
    """Send the browser on; 307 has it send a form again, with all that is in it."""
    return Response(status=status, headers={"Location": path})


def prepare(app: Flask, settings: Settings) -> None:
    """Give the templates of an application what they all know."""
    static = f"{settings.url_prefix}{app.static_url_path}"
    app.jinja_env.filters.update(ago=ago, exact=exact_time, iso=iso)
    # Globals, which macros know too, so that what is imported from a template is made once.
    app.jinja_env.globals.update(
        root=settings.url_prefix,
        static=static,
        app_name=settings.app_name,
        logo_url=settings.app_logo or f"{static}/mark.svg",
        has_own_logo=bool(settings.app_logo),
        accent=settings.app_accent or None,
        accent_ink=ink_on(settings.app_accent) if settings.app_accent else None,
        csp_nonce=csp_nonce,
        csrf_field=csrf_field,
        is_development=not settings.is_production,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def csrf_field() -> Markup:
    """Return the hidden field for a form that has nothing else to type into."""
    field = Markup('<input type="hidden" name="csrf_token" value="{}">')
    return field.format(page_csrf_token())


def iso(moment: datetime) -> str:
    """Return a moment for machines (RFC 3339)."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def ago(moment: datetime) -> str:
    """Return how long ago a moment was, or how far off it is, as people say it."""
    seconds = (clock.now() - moment).total_seconds()
    amount = _amount(abs(seconds))
    if amount is None:
        return "just now" if seconds >= 0 else "in a moment"
    return f"{amount} ago" if seconds >= 0 else f"in {amount}"


def _amount(seconds: float) -> str | None:
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if count := int(seconds // length):
            return f"{count} {name}{'s' if count > 1 else ''}"
    return None
