"""What services that verify tokens themselves have to be told: which sessions ended since."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from config_values import split_commas
from webapp import clock
from webapp.errors import FieldError, NotSignedIn, TokenInvalid, ValidationFailed
from webapp.services.parts import parts
from webapp.services.revocations import Change
from webapp.services.secrets import digest

# How long a change may take from the moment that it is dated with until it can be read: its
# transaction has to be committed, and each statement in it is given up after ten seconds.
VISIBLE_WITHIN = timedelta(minutes=1)

_MICROSECOND = timedelta(microseconds=1)
_BEGINNING = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """By session id, the moment before which its tokens are no good; and where to go on."""

    not_before: list[tuple[str, datetime]]
    cursor: str


def check_service(token: str | None) -> None:
    """Let nobody read but those who have one of REVOCATIONS_TOKENS.

    :raises NotSignedIn: without a token.
    :raises TokenInvalid: with another one, or where there are none.
    """
    if not token:
        raise NotSignedIn
    known = split_commas(parts().settings.revocations_tokens.get_secret_value())
    # All of them, by their digests: how long it takes tells neither which one nor how much of it.
    matches = [hmac.compare_digest(digest(token), digest(secret)) for secret in known]
    if not any(matches):
        raise TokenInvalid


def read_feed(cursor: str) -> Feed:
    """Return the sessions that ended or changed since a cursor; no store is asked.

    The next cursor stays a minute behind the newest change, so that one which is committed late
    is not missed. What is told twice does no harm.

    :param cursor: that of the feed before, or an empty one for all of one access-token lifetime.
    :raises ValidationFailed: when it is no cursor of ours.
    :raises TemporarilyUnavailable: when the store has not answered for 5 seconds.
    """
    since = _moment_of(cursor)
    changes = parts().revocations.since(since)
    newest = max((change.at for _, change in changes), default=_BEGINNING)
    following = max(since, newest - VISIBLE_WITHIN)
    return Feed(
        [(session_id, _not_before(change)) for session_id, change in changes],
        str((following - _BEGINNING) // _MICROSECOND),
    )


def _not_before(change: Change) -> datetime:
    moment = change.at.replace(microsecond=0)
    if not change.is_ended:
        return moment
    # While its end was being committed, somebody may have been handed a token once more.
    return moment + timedelta(seconds=1) + VISIBLE_WITHIN


def _moment_of(cursor: str) -> datetime:
    if not cursor:
        return _BEGINNING
    if re.fullmatch(r"\d{1,17}", cursor, re.ASCII):
        moment = _BEGINNING + int(cursor) * _MICROSECOND
        # One from further ahead would keep its reader from all that happens until then.
        if moment <= clock.now() + VISIBLE_WITHIN:
            return moment
    message = "This is no cursor of ours. Leave it out to begin anew."
    raise ValidationFailed(FieldError("since", "invalid_cursor", message))
