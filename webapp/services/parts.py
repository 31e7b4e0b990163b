"""The parts that one application is made of, and how the rules get at them."""

from dataclasses import dataclass
from typing import cast

from config import Settings
from webapp.extensions import registered_parts
from webapp.services.keys import KeyRing
from webapp.services.mailer import Mailer
from webapp.services.passwords import Passwords
from webapp.services.revocations import Revocations
from webapp.services.throttle import Throttle


@dataclass(frozen=True)
class Parts:
    """What the factory puts together once an application."""

    settings: Settings
    keys: KeyRing
    passwords: Passwords
    throttle: Throttle
    revocations: Revocations
    mailer: Mailer


def parts() -> Parts:
    """Return the parts of the application at hand."""
    return cast(Parts, registered_parts())
