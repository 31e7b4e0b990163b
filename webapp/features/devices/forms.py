"""The form of a page with nothing to type into."""

from wtforms import HiddenField

from webapp.doors.pages.forms import Form


class NotMeForm(Form):
    """A link's token."""

    token = HiddenField()
