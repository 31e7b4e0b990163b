"""Latchkey: a self-hosted sign-in for web apps.

What a host application imports is here: docs/extending.md shows it at work.
"""

from webapp.doors.own_parts import OwnParts
from webapp.host.guards import (
    maybe_signed_in,
    public,
    requires_recent_sign_in,
    requires_role,
    requires_verified_email,
    signed_in,
)
from webapp.host.latchkey import Latchkey
from webapp.host.visitor import (
    csrf_token,
    current_principal,
    current_user,
    sign_in_path,
    sign_out_path,
)

__all__ = [
    "Latchkey",
    "OwnParts",
    "csrf_token",
    "current_principal",
    "current_user",
    "maybe_signed_in",
    "public",
    "requires_recent_sign_in",
    "requires_role",
    "requires_verified_email",
    "sign_in_path",
    "sign_out_path",
    "signed_in",
]
