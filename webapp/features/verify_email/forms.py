"""The form that asks for a new link."""

from webapp.doors.pages.forms import Form, email_field


class ResendForm(Form):
    """Who wants a new link."""

    email = email_field("email")
