"""Settings: what is taken, and what is refused by name, without telling its value."""

from datetime import timedelta
from pathlib import Path

import pytest

import config
from config import Settings, SettingsError
from tests.support import make_settings

HUSH = "hush-hush-value"


def from_environment(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    """Read the settings as a process with these variables, and no file `.env`, would."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings.from_env()


def test_everything_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = from_environment(monkeypatch)
    assert settings.base_url == "http://localhost:5000"
    assert settings.token_issuer == settings.token_audience == settings.base_url


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("900", timedelta(minutes=15)),
        ("45s", timedelta(seconds=45)),
        ("15m", timedelta(minutes=15)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        (" 30 d ", timedelta(days=30)),
    ],
)
def test_a_duration_is_read(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: timedelta
) -> None:
    settings = from_environment(monkeypatch, REFRESH_TOKEN_EXPIRES=written)
    assert settings.refresh_token_expires == meant


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://user:p%40ss@redis.example.org:6380/2",
        "redis://:secret@[::1]:6379/0?health_check_interval=30",
        "redis+cluster://one:6379",
        "redis+cluster://user:secret@one:6379,two,127.0.0.1:7000",
        "rediss+cluster://one:6379,two:6379/",
    ],
)
def test_sessions_are_kept_in_redis(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    settings = from_environment(monkeypatch, REDIS_URL=url, SESSION_STORE="redis")
    assert (settings.redis_url, settings.session_store) == (url, "redis")


def test_a_grace_of_nothing_is_strict_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    assert from_environment(monkeypatch, REFRESH_GRACE="0").refresh_grace == timedelta(0)


@pytest.mark.parametrize(
    "name", ["ACCESS_TOKEN_EXPIRES", "REFRESH_TOKEN_EXPIRES", "SESSION_LIFETIME"]
)
@pytest.mark.parametrize("written", ["0", "-1", "1y", "15 minutes", "P1D", "1.5h", "999999999d"])
def test_a_lifetime_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, written: str
) -> None:
    with pytest.raises(SettingsError, match=rf"\A{name}: .*\.\Z"):
        from_environment(monkeypatch, **{name: written})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", HUSH),
        ("APP_NAME", HUSH * 5),
        ("APP_ACCENT", HUSH),
        ("APP_LOGO", f"javascript:{HUSH}"),
        ("PORT", HUSH),
        ("PORT", "65536"),
        ("BASE_URL", HUSH),
        ("BASE_URL", f"https://id.example.org/{HUSH}"),
        ("BASE_URL", f"https://id.example.org?{HUSH}"),
        ("BASE_URL", f"https://{HUSH}@id.example.org"),
        ("BASE_URL", f"http://[{HUSH}"),
        ("BASE_URL", f"http://localhost:{HUSH}"),
        ("BASE_URL", f"ftp://{HUSH}"),
        ("DATABASE_URL", HUSH),
        ("DATABASE_URL", f"postgresql://localhost:{HUSH}/latchkey"),
        ("DATABASE_URL", f"oracle://latchkey:{HUSH}@localhost/latchkey"),
        ("DATABASE_URL", f"postgresql+nothing://latchkey:{HUSH}@localhost/latchkey"),
        ("REDIS_URL", HUSH),
        ("REDIS_URL", f"http://:{HUSH}@localhost"),
        ("REDIS_URL", f"redis://localhost:{HUSH}"),
        ("REDIS_URL", f"redis+cluster://:{HUSH}@one:6379,two:{HUSH}"),
        ("REDIS_URL", f"redis://one:6379,{HUSH}:6379"),
        ("SESSION_STORE", HUSH),
        ("SESSION_STORE", "redis"),
        ("ACCESS_TOKEN_EXPIRES", HUSH),
        ("REFRESH_GRACE", HUSH),
        ("JWT_ALGORITHM", HUSH),
        ("JWT_ALGORITHM", "none"),
        ("COOKIE_SAMESITE", HUSH),
        ("COOKIE_SAMESITE", "None"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", HUSH),
        ("CORS_ORIGINS", f"https://app.example.org, https://app.example.org/{HUSH}"),
        ("TRUSTED_PROXIES", HUSH),
        ("TRUSTED_PROXIES", "-1"),
        ("EMAIL_VERIFICATION", HUSH),
        ("PASSWORD_MIN_LENGTH", HUSH),
        ("PASSWORD_MIN_LENGTH", "7"),
        ("BCRYPT_COST", HUSH),
        ("BCRYPT_COST", "3"),
        ("BCRYPT_COST", "17"),
        ("SMTP_URL", HUSH),
        ("SMTP_URL", f"http://id:{HUSH}@localhost"),
        ("SMTP_URL", f"smtp://id:{HUSH}@localhost:x"),
        ("MAIL_FROM", HUSH),
        ("MAIL_FROM", f"{HUSH}\nBcc: eve@example.com"),
        ("RATE_LIMITS", HUSH),
    ],
)
def test_a_bad_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_environment(monkeypatch, **{name: value})
    sentence = str(refusal.value)
    assert sentence.startswith(name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert HUSH not in sentence


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as refusal:
        from_environment(monkeypatch, PORT="x", BCRYPT_COST="x")
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()] == [
        "PORT",
        "BCRYPT_COST",
    ]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p%40@h:5/d", "postgresql+psycopg://u:p%40@h:5/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+psycopg://h/d?sslmode=require"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("mysql://h/d", "mysql+pymysql://h/d"),
        ("mariadb://h/d", "mariadb+pymysql://h/d"),
        ("sqlite:////var/lib/latchkey.db", "sqlite:////var/lib/latchkey.db"),
        ("sqlite:///latchkey.db", f"sqlite:///{config.ROOT}/latchkey.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
    ],
)
def test_the_driver_of_a_database_is_added(
    monkeypatch: pytest.MonkeyPatch, given: str, used: str
) -> None:
    assert from_environment(monkeypatch, DATABASE_URL=given).database_url == used


def test_origins_are_compared_as_browsers_send_them(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = from_environment(
        monkeypatch,
        BASE_URL="HTTPS://ID.Example.org/",
        CORS_ORIGINS="https://App.example.org/, http://localhost:4200,",
    )
    assert settings.base_url == "https://id.example.org"
    assert settings.cors_origins == ("https://app.example.org", "http://localhost:4200")


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `.env.example` has them until somebody fills them in."""
    settings = from_environment(monkeypatch, REFRESH_GRACE="", DATABASE_URL="", SMTP_URL="")
    assert settings.refresh_grace == timedelta(seconds=30)
    assert not settings.smtp_url


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite:///{tmp_path}/x.db", smtp_url=f"smtp://id:{HUSH}@localhost")
    assert HUSH not in repr(settings) + str(settings)
    assert settings.secret_key.get_secret_value() not in repr(settings) + str(settings)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = make_settings(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(ValueError, match="frozen"):
        settings.bcrypt_cost = 4  # type: ignore[misc]


def test_an_origin_is_written_as_browsers_send_it() -> None:
    written = {
        "https://ID.example.org:443/": "https://id.example.org",
        "http://localhost:80": "http://localhost",
        "http://localhost:8080": "http://localhost:8080",
        "https://id.example.org:80": "https://id.example.org:80",
    }
    for given, expected in written.items():
        settings = make_settings("sqlite://", base_url=given, cors_origins=(given,))
        assert (settings.base_url, settings.cors_origins) == (expected, (expected,))
