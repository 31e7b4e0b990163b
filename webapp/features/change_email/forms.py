"""The forms for another address."""

from wtforms import HiddenField

from webapp.doors.pages.forms import Form, email_field


class ChangeEmailForm(Form):
    """The new address."""

    email = email_field("email")


class UndoForm(Form):
    """A link's page has nothing to type into."""

    token = HiddenField()
