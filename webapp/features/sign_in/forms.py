"""The sign-in form."""

from wtforms import BooleanField, HiddenField, PasswordField

from webapp.doors.pages.forms import Form, email_field


class SignInForm(Form):
    """Who signs in."""

    email = email_field()
    password = PasswordField(
        "Password", render_kw={"autocomplete": "current-password", "required": True}
    )
    remember = BooleanField("Keep me signed in on this device", default=True)
    next = HiddenField()
