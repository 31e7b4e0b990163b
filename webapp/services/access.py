"""Who somebody is, by the access token they show, and whose account that is."""

from webapp.errors import NotSignedIn, TokenRevoked
from webapp.services.claims import AccessClaims
from webapp.services.parts import parts
from webapp.services.protocols import AccessVerifier
from webapp.stores.users import Account


def authenticate(encoded: str | None, verifier: AccessVerifier | None = None) -> AccessClaims:
    """Read an access token and make sure that its session still goes on; no store is asked.

    :param verifier: reads it in place of the part that does so otherwise.
    :raises NotSignedIn: without a token.
    :raises TokenInvalid: when it is no access token of ours.
    :raises TokenExpired: when it has expired, or its session changed since.
    :raises TokenRevoked: when its session has ended.
    """
    if not encoded:
        raise NotSignedIn
    claims = (verifier or parts().token_verifier).read_access(encoded)
    parts().revocations.check(claims.session_id, claims.facts_of)
    return claims


def account_of(claims: AccessClaims) -> Account:
    """Return the account of whoever is signed in.

    :raises TokenRevoked: when it was shut, deleted or removed within the last second.
    """
    account = parts().users.by_subject(claims.user_id)
    if account is None or account.is_disabled or account.is_deleted:
        # The snapshot let it pass. Unless it is read again, the sign-in page would, too, and send
        # the browser back to where it came from.
        parts().revocations.expect_change()
        raise TokenRevoked
    return account
