"""The form that asks for the password again."""

from webapp.doors.pages.forms import Form, present_password_field


class ReauthenticateForm(Form):
    """The present password, under a name that no other form has."""

    present_password = present_password_field("Password")
