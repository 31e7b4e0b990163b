"""People known by their email address, as in "A full example" of Django's custom user models."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager):
    """Makes people from an address and a password."""

    def create_user(self, email: str, password: str) -> "User":
        """Store a person; the password is hashed here."""
        user = self.model(email=self.normalize_email(email))
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in with an email address and a password."""

    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
