"""The forms for another address."""

from webapp.doors.pages.forms import Form, email_field


class ChangeEmailForm(Form):
    """The new address."""

    email = email_field("email")
