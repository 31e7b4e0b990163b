"""A host with a Latchkey in front of it, below a prefix and without one."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Closing
from tests.doors.probes import create_user
from tests.doors_kit import Door
from tests.host.kit import JsonDoorAtHost, PagesDoorAtHost, latchkey_of, make_host
from tests.support import make_settings
from webapp import Latchkey

MakeHost = Callable[..., Flask]


@pytest.fixture
def in_front(database_url: str, closing: Closing) -> MakeHost:
    """A function that puts a Latchkey in front of a host; keyword arguments are settings."""

    def put(host: Flask, prefix: str = "/id", parts: Any = None, **overrides: Any) -> Flask:
        settings = make_settings(overrides.pop("database_url", database_url), **overrides)
        Latchkey(host, settings, url_prefix=prefix, parts=parts)
        closing(latchkey_of(host).app)
        return host

    return put


@pytest.fixture(params=["/id", "/shop/id", ""], ids=["prefix", "deep", "no-prefix"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Where Latchkey lives."""
    return str(request.param)


@pytest.fixture
def host(in_front: MakeHost, prefix: str) -> Flask:
    """The host with all its habits."""
    return in_front(make_host(), prefix)


@pytest.fixture(params=[PagesDoorAtHost, JsonDoorAtHost], ids=["pages", "json"])
def door(request: pytest.FixtureRequest, host: Flask) -> Door:
    """Each door of that Latchkey in turn."""
    made: Door = request.param(host)
    return made


@pytest.fixture
def alice(host: Flask) -> JsonDoorAtHost:
    """Alice's browser, signed in."""
    create_user(latchkey_of(host).app)
    door = JsonDoorAtHost(host)
    assert door.sign_in("alice@example.com").is_fine
    return door
