"""Forms: their shape and their CSRF token. What is allowed in a field is for the flow to say."""

import logging
from collections.abc import Callable
from copy import copy
from functools import cache, lru_cache
from typing import Any, TypeVar

from flask import g, request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from markupsafe import Markup, escape
from wtforms import EmailField, Field, HiddenField, PasswordField, ValidationError
from wtforms.csrf.core import CSRF
from wtforms.widgets.core import clean_key

from webapp.doors import csrf
from webapp.doors.credentials import cookie_session_id
from webapp.doors.statuses import Refusal, refusal_of
from webapp.errors import AuthError, CsrfFailed, FieldError, ValidationFailed

logger = logging.getLogger(__name__)

R = TypeVar("R")

STALE = "This page was open for too long. Check it, and press the button again."


class _FormToken(CSRF):  # type: ignore[misc]
    """WTForms' side of the CSRF token that forms and scripts share."""

    def generate_csrf_token(self, csrf_token_field: Field) -> str:
        return page_csrf_token()

    def validate_csrf_token(self, form: Any, field: Field) -> None:
        if not csrf.is_form_genuine(field.data or "", cookie_session_id()):
            raise ValidationError(STALE)


def attributes(**values: object) -> str:
    """Return attributes as WTForms writes them, whose own way takes most of the time of a page."""
    # What somebody typed is in one of them alone, which comes last in the alphabet.
    typed = values.pop("value", False)
    ours = _written(tuple(sorted(values.items())))
    return ours if typed is False else f'{ours} value="{escape(typed)}"'


@lru_cache(maxsize=512)
def _written(values: tuple[tuple[str, object], ...]) -> str:
    """Return what stands in our own code, which is the same each time."""
    return " ".join(
        clean_key(key) if value is True else f'{clean_key(key)}="{escape(value)}"'
        for key, value in values
        if value is not False
    )


@cache
def _lean(widget: Any) -> Any:
    """Return a widget that writes attributes in our way."""
    lean = copy(widget)
    lean.html_params = attributes
    return lean


def _described(field: Field) -> dict[str, str]:
    """Return the attributes that lead from a control to its hint and its errors, if it is seen."""
    if field.flags.hidden:
        return {}
    ids = [f"{field.id}-hint"] if field.description else []
    if not field.errors:
        return {"aria-describedby": ids[0]} if ids else {}
    return {"aria-describedby": " ".join([*ids, f"{field.id}-error"]), "aria-invalid": "true"}


class Form(FlaskForm):  # type: ignore[misc]
    """A form with the CSRF token, which shows what a flow says under the field that it is about."""

    class Meta:
        """How Flask-WTF is to make it."""

        csrf = True
        csrf_class = _FormToken

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Read forms only; Flask-WTF would take any JSON for one, too."""
            if formdata is not _Auto:
                return formdata
            return request.form if request.method == "POST" else None

        def render_field(self, field: Field, render_kw: dict[str, object]) -> Markup:
            """Return a control as its widget writes it, with what screen readers are to know."""
            own: dict[str, object] = field.render_kw or {}
            control: Markup = _lean(field.widget)(field, **own | render_kw | _described(field))
            return control

    refusal: Refusal | None = None
    form_errors: list[str]

    def submit(self, work: Callable[[], R]) -> R | None:
        """Run what the form asks for and return what comes of it.

        Where that is refused, None: `refusal` holds why, and the form shows it, with all that was
        typed but the password; be it that a store is down.
        """
        self.validate()
        try:
            if self[self.meta.csrf_field_name].errors:
                raise CsrfFailed
            return work()
        except AuthError as error:
            self.refusal = refusal_of(error)
            if self.refusal.status >= 500:
                logger.warning("unavailable: %r, by %r", error, error.__cause__)
            self._show(error)
            return None

    def _show(self, error: AuthError) -> None:
        complaints = error.errors if isinstance(error, ValidationFailed) else ()
        if error.field:
            complaints = (FieldError(error.field, error.code, error.message),)
        for complaint in complaints:
            if complaint.field in self:
                field = self[complaint.field]
                field.errors = [*field.errors, complaint.message]
            else:
                self.form_errors = [*self.form_errors, complaint.message]
        if not complaints:
            self.form_errors = [STALE if isinstance(error, CsrfFailed) else error.message]


class LinkForm(Form):
    """A page that a mailed link opens has nothing to type into."""

    token = HiddenField()


def email_field(autocomplete: str = "username") -> Any:
    """Return a field for an address; password managers know it by its autocomplete value."""
    return EmailField(
        "Email address",
        render_kw={
            "autocomplete": autocomplete,
            "autocapitalize": "none",
            "inputmode": "email",
            "required": True,
            "spellcheck": "false",
        },
    )


def new_password_field(label: str = "Password") -> Any:
    """Return a field for a password to be chosen."""
    return PasswordField(label, render_kw={"autocomplete": "new-password", "required": True})


def present_password_field(label: str = "Password") -> Any:
    """Return a field for a password that one has."""
    return PasswordField(label, render_kw={"autocomplete": "current-password", "required": True})


def page_csrf_token() -> str:
    """Return the token for every form of the page at hand."""
    if "form_token" not in g:
        g.form_token = csrf.form_token(cookie_session_id())
    return str(g.form_token)


def posted_token() -> str:
    """Return the token of the page that a mailed link opened, once its button is pressed.

    :raises CsrfFailed: when the form is not one of ours.
    """
    form = LinkForm()
    if not form.validate():
        raise CsrfFailed
    return form.token.data or ""
