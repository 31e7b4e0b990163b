"""The sign-in form."""

from wtforms import BooleanField, EmailField, HiddenField, PasswordField

from webapp.doors.pages.forms import Form


class SignInForm(Form):
    """Who signs in."""

    email = EmailField(
        "Email address",
        render_kw={"autocomplete": "username", "required": True, "autocapitalize": "none",
                   "spellcheck": "false", "inputmode": "email"},
    )  # fmt: skip
    password = PasswordField(
        "Password", render_kw={"autocomplete": "current-password", "required": True}
    )
    remember = BooleanField("Keep me signed in on this device", default=True)
    next = HiddenField()
