"""Simple JWT: Django, Django REST framework and djangorestframework-simplejwt.

Put together as the "Getting started" and "Blacklist app" pages of Simple JWT say. Refresh tokens
rotate (ROTATE_REFRESH_TOKENS) and the one presented is dead afterwards (BLACKLIST_AFTER_ROTATION
with the token_blacklist app). Access tokens are HS256, the library's default; JWTAuthentication
reads the person from the database at every request.

bcrypt is Django's own: the bcrypt package, and BCryptSHA256PasswordHasher, with its rounds set by
a subclass, as the only hasher.

Simple JWT has no sign-up of its own. Here it is what a project with Django REST framework writes:
a CreateAPIView over a serializer whose password goes through Django's validators.

There are no sessions, cookies, pages or browsable API, and so no middleware or renderers for them.
"""

import os
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.wsgi import get_wsgi_application

database = urlsplit(os.environ["DATABASE_URL"])
validation = "django.contrib.auth.password_validation"

settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    DEBUG=False,
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF="people.api",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
        "people",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": database.hostname,
            "PORT": database.port or "",
            "USER": unquote(database.username or ""),
            "PASSWORD": unquote(database.password or ""),
            "NAME": database.path.removeprefix("/"),
            "OPTIONS": dict(parse_qsl(database.query)),
            "CONN_MAX_AGE": 600,
        }
    },
    AUTH_USER_MODEL="people.User",
    PASSWORD_HASHERS=["people.hashers.BCryptSHA256PasswordHasher"],
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": f"{validation}.UserAttributeSimilarityValidator"},
        {"NAME": f"{validation}.MinimumLengthValidator"},
        {"NAME": f"{validation}.CommonPasswordValidator"},
        {"NAME": f"{validation}.NumericPasswordValidator"},
    ],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
        "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)

app = get_wsgi_application()
