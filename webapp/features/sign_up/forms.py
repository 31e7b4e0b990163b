"""The sign-up form."""

from wtforms import HiddenField, StringField

from webapp.doors.pages.forms import Form, email_field, new_password_field


class SignUpForm(Form):
    """Who signs up; password managers know these fields by their autocomplete values."""

    name = StringField(
        "Your name",
        render_kw={"autocomplete": "name", "maxlength": 100},
    )
    email = email_field()
    password = new_password_field()
    next = HiddenField()
