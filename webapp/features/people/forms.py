"""The forms about people."""

from wtforms import StringField

from webapp.doors.pages.forms import Form


class PersonForm(Form):
    """What somebody is called."""

    first_name = StringField("First name", render_kw={"maxlength": 30, "autocomplete": "off"})
    last_name = StringField("Last name", render_kw={"maxlength": 30, "autocomplete": "off"})


class RemoveForm(Form):
    """A page that asks, with nothing to type into."""
