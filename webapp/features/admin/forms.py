"""The forms of administrators."""

from wtforms import SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from webapp.doors.pages.forms import Form, email_field


class NewAccountForm(Form):
    """Whom to make an account for."""

    email = email_field("off")
    name = StringField("Name", render_kw={"autocomplete": "off", "maxlength": 100})


class ChangeForm(Form):
    """What somebody goes by, and what they may do."""

    name = StringField("Name", render_kw={"autocomplete": "off", "maxlength": 100})
    roles = SelectMultipleField(
        "Roles",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        # Which roles there are is for the flow to say.
        validate_choice=False,
    )


class QuestionForm(Form):
    """A page that asks, with nothing to type into."""
