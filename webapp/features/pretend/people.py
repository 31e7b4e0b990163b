"""Who can be played: three people, or anybody whom one types."""

import hashlib
from dataclasses import dataclass, replace

from webapp.errors import FieldError, ValidationFailed
from webapp.services.addresses import normalize_email

TYPED = "typed"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as one provider knows them; `email` is empty where it gives none."""

    subject: str
    name: str
    email: str = ""
    is_verified: bool = False
    # The address is one of Apple's, which hides the person's own.
    is_private: bool = False

    @property
    def first_and_last_name(self) -> tuple[str, str]:
        """The name in two, as Apple has it."""
        first, _, last = self.name.rpartition(" ")
        return (first, last) if first else (last, "")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen on the consent page.

    :param person: the id of a sample person, or `typed`.
    :param address: whether the typed address is `verified`, `unverified`, or given at all: `none`.
    """

    person: str
    name: str = ""
    email: str = ""
    address: str = "verified"


def samples_of(provider: str) -> dict[str, Person]:
    """Return the sample people of a provider, by the ids that the form knows them by."""
    ben = Person("ben", "Ben Okafor", "ben@example.org", is_verified=True)
    if provider == "apple":
        ben = replace(ben, email="k7x2mq9w4p@privaterelay.appleid.com", is_private=True)
    people = (
        Person("anna", "Anna Larsson", "anna@example.org", is_verified=True),
        ben,
        Person("chris", "Chris Ito"),
    )
    return {one.subject: replace(one, subject=subject_of(provider, one.subject)) for one in people}


def choose(provider: str, choice: Choice) -> Person:
    """Return the person who was picked or typed.

    :raises ValidationFailed: when nobody was picked, or what was typed is not enough.
    """
    if choice.person != TYPED:
        person = samples_of(provider).get(choice.person)
        if person is None:
            message = "Choose one of these people, or somebody else."
            raise ValidationFailed(FieldError("person", "not_a_choice", message))
        return person
    if choice.address not in ("verified", "unverified", "none"):
        message = "Choose what the provider says of the address."
        raise ValidationFailed(FieldError("address", "not_a_choice", message))
    name, email = choice.name.strip(), choice.email.strip()
    if email:
        seed = normalize_email(email)
    elif choice.address == "none" and name:
        seed = name
    else:
        message = "Enter an address. Without one a name is enough, with “No address” below."
        raise ValidationFailed(FieldError("email", "missing", message))
    is_given = choice.address != "none"
    return Person(
        subject_of(provider, seed),
        name,
        email if is_given else "",
        is_verified=choice.address == "verified",
        is_private=is_given and seed.endswith("@privaterelay.appleid.com"),
    )


def subject_of(provider: str, seed: str) -> str:
    """Return whom a provider takes somebody for: always the same here, another one elsewhere."""
    found = hashlib.sha256(f"{provider} {seed}".encode()).hexdigest()
    number = str(int(found, 16))
    if provider == "google":
        return "1" + number[:20]
    if provider == "apple":
        return f"001{number[:3]}.{found[:32]}.{number[3:7]}"
    return "1" + number[: 15 if provider == "facebook" else 7]
