"""The form for another password."""

from webapp.doors.pages.forms import Form, new_password_field, present_password_field


class ChangePasswordForm(Form):
    """The present password and the new one."""

    current_password = present_password_field("Present password")
    new_password = new_password_field("New password")
