"""The form that asks for a new link."""

from wtforms import EmailField

from webapp.doors.pages.forms import Form


class ResendForm(Form):
    """Who wants a new link."""

    email = EmailField(
        "Email address",
        render_kw={"autocomplete": "email", "required": True, "autocapitalize": "none",
                   "spellcheck": "false", "inputmode": "email"},
    )  # fmt: skip


class ConfirmForm(Form):
    """A link's page has nothing to type into; its token stands in a hidden field."""
