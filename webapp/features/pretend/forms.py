"""The form of the consent page."""

from wtforms import BooleanField, StringField

from webapp.doors.pages.forms import Form, email_field
from webapp.features.pretend.people import TYPED


class ConsentForm(Form):
    """Who somebody wants to be, and whether they allow it; the page draws the choices itself."""

    # The id of a sample person, or `typed`.
    person = StringField("Who are you?")
    name = StringField("Name", render_kw={"autocomplete": "off", "maxlength": 100})
    email = email_field("off")
    # What the provider says of a typed address: `verified`, `unverified` or `none`.
    address = StringField("Address", default="verified")
    first_time = BooleanField("This is the first time here", default=True)
    # Either of two buttons: `continue` or `cancel`.
    answer = StringField()

    def prefill(self, person: str, login_hint: str) -> None:
        """Choose somebody to begin with: whom the app has in mind, or else this sample person."""
        if not self.is_submitted():
            self.email.data = login_hint
            self.person.data = TYPED if login_hint else person
