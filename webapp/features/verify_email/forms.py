"""The form that asks for a new link."""

from webapp.doors.pages.forms import Form, email_field


class ResendForm(Form):
    """Who wants a new link."""

    email = email_field("email")


class ConfirmForm(Form):
    """A link's page has nothing to type into; its token stands in a hidden field."""
