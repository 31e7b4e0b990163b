"""The sign-up form."""

from wtforms import EmailField, HiddenField, PasswordField, StringField

from webapp.doors.pages.forms import Form


class SignUpForm(Form):
    """Who signs up; password managers know these fields by their autocomplete values."""

    name = StringField(
        "Your name",
        description="Optional",
        render_kw={"autocomplete": "name", "maxlength": 100},
    )
    email = EmailField(
        "Email address",
        render_kw={"autocomplete": "username", "required": True, "autocapitalize": "none",
                   "spellcheck": "false", "inputmode": "email"},
    )  # fmt: skip
    password = PasswordField(
        "Password", render_kw={"autocomplete": "new-password", "required": True}
    )
    next = HiddenField()
