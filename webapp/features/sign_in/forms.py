"""The sign-in form."""

from wtforms import BooleanField, HiddenField

from webapp.doors.pages.forms import Form, email_field, present_password_field


class SignInForm(Form):
    """Who signs in."""

    email = email_field()
    password = present_password_field()
    remember = BooleanField("Keep me signed in on this device", default=True)
    next = HiddenField()
