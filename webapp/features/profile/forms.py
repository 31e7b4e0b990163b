"""The forms of one's own account."""

from wtforms import StringField

from webapp.doors.pages.forms import Form


class NameForm(Form):
    """The name that one wants to go by."""

    name = StringField("Your name", render_kw={"autocomplete": "name", "maxlength": 100})


class DeleteForm(Form):
    """A page that asks, with nothing to type into."""
