"""The form that asks for an address to prove."""

from webapp.doors.pages.forms import Form, email_field


class AddressForm(Form):
    """Where the link is to go."""

    email = email_field("email")
