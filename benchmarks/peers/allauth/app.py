"""django-allauth, headless: its API for apps (not for browsers), with its JWT token strategy.

Put together as the "Quickstart", "Headless: Installation" and "JWT Tokens" pages of allauth say,
with email addresses as the login and a user model without user names. Signing up and in and
refreshing are allauth's own endpoints. Refresh tokens rotate, which is the default. Sessions, where
allauth keeps the live refresh tokens, are in the database, Django's default.

Access tokens are HS256 over SECRET_KEY, one of the documented algorithms, and are checked without
state, the default (HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED would read the session each time). Who
am I is asked of a view of the project's own under JWTTokenAuthentication: one query, for the
person. allauth's own GET /_allauth/app/v1/auth/session would tell the same and reads the session
and the primary address too.

bcrypt is Django's own: the bcrypt package, and BCryptSHA256PasswordHasher, with its rounds set by
a subclass, as the only hasher.

Off for the benchmark, each by its documented setting: rate limits and email verification.
"""

import os
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.wsgi import get_wsgi_application

database = urlsplit(os.environ["DATABASE_URL"])
validation = "django.contrib.auth.password_validation"
context = "django.template.context_processors.request"
refresh_lifetime = int(timedelta(days=30).total_seconds())

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
        "django.contrib.sessions",
        "django.contrib.messages",
        "allauth",
        "allauth.account",
        "allauth.headless",
        "rest_framework",
        "people",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [context]},
        }
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
    SESSION_COOKIE_AGE=refresh_lifetime,
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    AUTH_USER_MODEL="people.User",
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    PASSWORD_HASHERS=["people.hashers.BCryptSHA256PasswordHasher"],
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": f"{validation}.UserAttributeSimilarityValidator"},
        {"NAME": f"{validation}.MinimumLengthValidator"},
        {"NAME": f"{validation}.CommonPasswordValidator"},
        {"NAME": f"{validation}.NumericPasswordValidator"},
    ],
    ACCOUNT_USER_MODEL_USERNAME_FIELD=None,
    ACCOUNT_LOGIN_METHODS={"email"},
    ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
    ACCOUNT_EMAIL_VERIFICATION="none",
    ACCOUNT_RATE_LIMITS=False,
    HEADLESS_ONLY=True,
    HEADLESS_CLIENTS=["app"],
    HEADLESS_TOKEN_STRATEGY="allauth.headless.tokens.strategies.jwt.JWTTokenStrategy",  # noqa: S106 - a class
    HEADLESS_JWT_ALGORITHM="HS256",
    HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN=15 * 60,
    HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN=refresh_lifetime,
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
)

app = get_wsgi_application()
