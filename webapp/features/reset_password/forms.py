"""The forms for getting back in."""

from wtforms import HiddenField

from webapp.doors.pages.forms import Form, email_field, new_password_field


class ForgotForm(Form):
    """Who wants a link."""

    email = email_field()


class ResetForm(Form):
    """The new password."""

    token = HiddenField()
    password = new_password_field("New password")
