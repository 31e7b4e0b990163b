"""Django's bcrypt_sha256 at the cost of the benchmark."""

import os

from django.contrib.auth import hashers


class BCryptSHA256PasswordHasher(hashers.BCryptSHA256PasswordHasher):
    """Django's documentation asks for a subclass to set the work factor."""

    rounds = int(os.environ["BCRYPT_COST"])
