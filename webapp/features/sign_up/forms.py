"""The sign-up form."""

from wtforms import HiddenField, PasswordField, StringField

from webapp.doors.pages.forms import Form, email_field


class SignUpForm(Form):
    """Who signs up; password managers know these fields by their autocomplete values."""

    name = StringField(
        "Your name",
        render_kw={"autocomplete": "name", "maxlength": 100},
    )
    email = email_field()
    password = PasswordField(
        "Password", render_kw={"autocomplete": "new-password", "required": True}
    )
    next = HiddenField()
