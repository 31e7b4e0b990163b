"""Makes the tables in an empty database and puts $PEOPLE people into it, all with $PASSWORD."""

import os

import app  # noqa: F401 - sets Django up, before the models can be imported
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from people.models import User

BATCH = 5_000


def fill(people: int, password: str) -> None:
    """Store person-0 to person-<people - 1>, who share one hash, with verified addresses."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    hashed = make_password(password)
    for start in range(0, people, BATCH):
        users = User.objects.bulk_create(
            User(email=f"person-{number}@example.com", password=hashed)
            for number in range(start, min(start + BATCH, people))
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users
        )


if __name__ == "__main__":
    fill(int(os.environ["PEOPLE"]), os.environ["PASSWORD"])
