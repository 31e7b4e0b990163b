"""Who signs in to which account by which provider, and what is under way there."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from webapp.models import AddressProofRow, IdentityRow, SpentStateRow, UserRow
from webapp.stores.statements import changes_one, count_changed
from webapp.stores.transactions import LostRace, execute, scalar
from webapp.stores.users import Account, search_key


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """One person at one provider, and whose account they sign in to."""

    provider: str
    subject: str
    user_id: str
    email: str | None
    linked_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class AddressProof:
    """An identity that waits for an address to be proved."""

    provider: str
    subject: str
    digest: str
    user_id: str
    email: str
    name: str
    browser_digest: str
    expires_at: datetime


_FIELDS = tuple(LinkedIdentity.__dataclass_fields__)
_COLUMNS = tuple(getattr(IdentityRow, field) for field in _FIELDS)
_PROOF_FIELDS = tuple(AddressProof.__dataclass_fields__)


def find(provider: str, subject: str) -> LinkedIdentity | None:
    """Return the identity, if it signs in to an account."""
    row = execute(
        select(*_COLUMNS).where(IdentityRow.provider == provider, IdentityRow.subject == subject)
    ).one_or_none()
    return LinkedIdentity(*row) if row else None


def all_of(user_id: str) -> list[LinkedIdentity]:
    """Return what an account is linked with, by provider."""
    rows = execute(
        select(*_COLUMNS).where(IdentityRow.user_id == user_id).order_by(IdentityRow.provider)
    )
    return [LinkedIdentity(*row) for row in rows]


def add(identity: LinkedIdentity) -> None:
    """Link an identity with an account.

    :raises LostRace: when it is linked already, or the account has another one of this provider;
        the transaction runs again and finds which.
    """
    values = {field: getattr(identity, field) for field in _FIELDS}
    try:
        execute(insert(IdentityRow).values(values))
    except IntegrityError as error:
        raise LostRace from error


def note_use(identity: LinkedIdentity, now: datetime) -> bool:
    """Note a sign-in and hold the row; False when it is not linked with that account any more."""
    return changes_one(
        update(IdentityRow)
        .where(
            IdentityRow.provider == identity.provider,
            IdentityRow.subject == identity.subject,
            IdentityRow.user_id == identity.user_id,
        )
        .values(last_used_at=now)
    )


def note_sign_in(account: Account, now: datetime) -> bool:
    """Note a sign-in by way of a provider if the account is still as it was read, and hold its row.

    As `users.note_sign_in` does for a password; False when it was shut or has other roles by now.
    """
    return changes_one(
        update(UserRow)
        .where(
            UserRow.id == account.id,
            UserRow.roles_changed_at.is_not_distinct_from(account.roles_changed_at),
            UserRow.disabled_at.is_(None),
        )
        .values(last_sign_in_at=now, deleted_at=None)
    )


def give_clean(account: Account, name: str, now: datetime) -> bool:
    """Give an account that nobody had proved to whoever has proved its address now.

    The password and the devices of whoever made it are gone; False when somebody was quicker.
    """
    return changes_one(
        update(UserRow)
        .where(
            UserRow.id == account.id,
            UserRow.email == account.email,
            UserRow.email_verified_at.is_(None),
            UserRow.disabled_at.is_(None),
            UserRow.deleted_at.is_(None),
        )
        .values(
            email_verified_at=now,
            name=name,
            name_key=search_key(name),
            password_hash=None,
            devices_since=now,
            last_sign_in_at=now,
        )
    )


def remove(user_id: str, provider: str) -> bool:
    """Unlink an identity unless it is the last way into the account; False when it is, or is gone.

    Hold the account's row first: two who each remove one of two would else both find the other.
    """
    other = aliased(IdentityRow)
    has_other = exists().where(other.user_id == user_id, other.provider != provider)
    has_password = exists().where(UserRow.id == user_id, UserRow.password_hash.is_not(None))
    ways = scalar(select(or_(has_other, has_password)))
    return bool(ways) and changes_one(
        delete(IdentityRow).where(IdentityRow.user_id == user_id, IdentityRow.provider == provider)
    )


def remove_all_of(user_id: str) -> int:
    """Unlink all of an account's identities; say how many there were."""
    return count_changed(delete(IdentityRow).where(IdentityRow.user_id == user_id))


def spend_state(digest: str, expires_at: datetime) -> bool:
    """Take a state; True for exactly one of all who try.

    :raises LostRace: when somebody else takes it now; the transaction runs again and finds that.
    """
    if scalar(select(exists().where(SpentStateRow.digest == digest))):
        return False
    try:
        execute(insert(SpentStateRow).values(digest=digest, expires_at=expires_at))
    except IntegrityError as error:
        raise LostRace from error
    return True


def replace_proof(proof: AddressProof) -> None:
    """Keep a proof in place of the identity's earlier one.

    :raises LostRace: when another one came first; the transaction runs again.
    """
    values = {field: getattr(proof, field) for field in _PROOF_FIELDS}
    execute(
        delete(AddressProofRow).where(
            AddressProofRow.provider == proof.provider, AddressProofRow.subject == proof.subject
        )
    )
    try:
        execute(insert(AddressProofRow).values(values))
    except IntegrityError as error:
        raise LostRace from error


def find_proof(digest: str, now: datetime) -> AddressProof | None:
    """Return a proof that could be used now, or None; uses nothing up."""
    row = execute(
        select(*(getattr(AddressProofRow, field) for field in _PROOF_FIELDS)).where(
            AddressProofRow.digest == digest, AddressProofRow.expires_at > now
        )
    ).one_or_none()
    return AddressProof(*row) if row else None


def use_proof(digest: str, now: datetime) -> bool:
    """Use a proof up; True for exactly one of all who try."""
    return changes_one(
        delete(AddressProofRow).where(
            AddressProofRow.digest == digest, AddressProofRow.expires_at > now
        )
    )


def prune(before: datetime) -> None:
    """Delete the proofs and states that expired before this moment."""
    execute(delete(AddressProofRow).where(AddressProofRow.expires_at < before))
    execute(delete(SpentStateRow).where(SpentStateRow.expires_at < before))
