"""Limits on trying: per place and account together, per place, and per account."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import time_machine
from apiflask import APIFlask
from redis import Redis
from werkzeug.test import TestResponse

from tests.conftest import MakeApp
from tests.doors.conftest import Hashes
from tests.doors.probes import ALICE, BOB, create_user
from tests.doors_kit import PagesDoor
from tests.support import PASSWORD, free_port, is_up, skip
from webapp import clock
from webapp.services.throttle import SIGN_UPS

WRONG = "a wrong password"
REDIS_URL = "redis://127.0.0.1:6379/15"


@pytest.fixture
def limited(make_app: MakeApp) -> APIFlask:
    """An application with limits, behind one proxy, so that a test can be in many places."""
    app = make_app(rate_limits=True, trusted_proxies=1)
    create_user(app)
    return app


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty Redis database of our own."""
    if not is_up(6379):
        skip("redis is not running on this machine")
    with Redis.from_url(REDIS_URL) as redis:
        redis.flushdb()
        yield REDIS_URL
        redis.flushdb()


def try_(
    app: APIFlask, password: str = WRONG, email: str = ALICE, place: str = "192.0.2.1"
) -> TestResponse:
    """Try to sign in from a place, with an empty browser."""
    return app.test_client().post(
        "/api/v1/auth/login",
        json={"email": email, "password": password},
        headers={"X-Forwarded-For": place},
    )


def statuses(app: APIFlask, times: int, **how: str) -> Counter[int]:
    return Counter(try_(app, **how).status_code for _ in range(times))


def test_after_ten_failures_a_place_has_to_wait_for_this_account(limited: APIFlask) -> None:
    assert statuses(limited, 12) == {401: 10, 429: 2}
    assert try_(limited, PASSWORD).status_code == 429
    assert try_(limited, email=BOB).status_code == 401


def test_the_reply_says_for_how_long(limited: APIFlask) -> None:
    statuses(limited, 10)
    response = try_(limited)
    assert response.get_json()["code"] == "too_many_attempts"
    assert response.mimetype == "application/problem+json"
    assert 880 <= int(response.headers["Retry-After"]) <= 900


def test_a_page_says_it_too(make_app: MakeApp) -> None:
    door = PagesDoor(make_app(rate_limits=True))
    for _ in range(10):
        assert door.sign_in(ALICE, WRONG).status == 401
    answer = door.sign_in(ALICE, WRONG)
    assert answer.status == 429
    assert 880 <= int(answer.response.headers["Retry-After"]) <= 900
    assert "Too many tries" in answer.text
    assert f'value="{ALICE}"' in answer.text


def test_having_waited_one_may_try_again(limited: APIFlask) -> None:
    statuses(limited, 11)
    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        assert try_(limited, PASSWORD).status_code == 200


def test_nobody_is_locked_out_by_a_guesser_elsewhere(limited: APIFlask) -> None:
    statuses(limited, 200, place="198.51.100.7")
    assert try_(limited, PASSWORD, place="192.0.2.1").status_code == 200


def test_a_place_that_tries_many_accounts_has_to_wait(limited: APIFlask) -> None:
    found = Counter(
        try_(limited, email=f"user{number}@example.com").status_code for number in range(103)
    )
    assert found == {401: 100, 429: 3}
    assert try_(limited, PASSWORD).status_code == 429
    assert try_(limited, PASSWORD, place="192.0.2.2").status_code == 200


def test_an_account_that_is_tried_from_many_places_has_to_wait(limited: APIFlask) -> None:
    found = Counter(try_(limited, place=f"203.0.113.{n}").status_code for n in range(103))
    assert found == {401: 100, 429: 3}


def test_the_addresses_of_one_ipv6_customer_are_one_place(limited: APIFlask) -> None:
    found = Counter(try_(limited, place=f"2001:db8:1:2::{n}").status_code for n in range(12))
    assert found == {401: 10, 429: 2}
    assert try_(limited, PASSWORD, place="2001:db8:1:3::1").status_code == 200


def test_an_unknown_account_is_limited_alike(limited: APIFlask) -> None:
    assert statuses(limited, 12, email="nobody@example.com") == {401: 10, 429: 2}


def test_spelling_does_not_get_around_it(limited: APIFlask) -> None:
    spellings = [ALICE, ALICE.upper(), f" {ALICE}", f"{ALICE} "] * 3
    assert Counter(try_(limited, email=email).status_code for email in spellings) == {
        401: 10,
        429: 2,
    }


def test_a_success_gives_back_itself_and_nothing_more(limited: APIFlask) -> None:
    statuses(limited, 9)
    for _ in range(5):
        assert try_(limited, PASSWORD).status_code == 200
    assert statuses(limited, 3) == {401: 1, 429: 2}


def test_successes_alone_are_never_limited(limited: APIFlask) -> None:
    assert statuses(limited, 25, password=PASSWORD) == {200: 25}


def test_too_many_tries_cost_no_hash(limited: APIFlask, hashes: Hashes) -> None:
    statuses(limited, 10)
    before = hashes.count
    statuses(limited, 5)
    assert hashes.count == before


def test_parallel_tries_do_not_slip_through(limited: APIFlask) -> None:
    start, found = Barrier(24), Counter[int]()

    def guess() -> None:
        start.wait()
        found[try_(limited).status_code] += 1

    threads = [Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {401: 10, 429: 14}


def test_a_forged_forwarding_header_changes_nothing(make_app: MakeApp) -> None:
    app = make_app(rate_limits=True)
    found = Counter(try_(app, place=f"203.0.113.{n}").status_code for n in range(12))
    assert found == {401: 10, 429: 2}


def test_behind_a_proxy_only_what_the_proxy_adds_counts(limited: APIFlask) -> None:
    places = [f"203.0.113.{number}, 192.0.2.9" for number in range(12)]
    assert Counter(try_(limited, place=place).status_code for place in places) == {401: 10, 429: 2}


def test_limits_can_be_switched_off(make_app: MakeApp) -> None:
    app = make_app(rate_limits=False)
    assert statuses(app, 30) == {401: 30}


def test_mail_to_one_person_is_limited_whether_known_or_not(limited: APIFlask) -> None:
    for email in ("nobody@example.com", ALICE):
        found = [
            limited.test_client().post(
                "/api/v1/auth/email/verify/resend",
                json={"email": email},
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
            )
            for number in range(12)
        ]
        assert Counter(response.status_code for response in found) == {202: 10, 429: 2}
        assert 3580 <= int(found[-1].headers["Retry-After"]) <= 3600


def test_sign_ups_from_one_place_are_limited(limited: APIFlask) -> None:
    found = Counter[int]()
    for number in range(SIGN_UPS.amount + 2):
        body = {"email": f"new{number}@example.com", "password": PASSWORD}
        found[limited.test_client().post("/api/v1/auth/signup", json=body).status_code] += 1
    assert found == {202: SIGN_UPS.amount, 429: 2}


def test_sign_ups_with_a_taken_address_are_limited_like_new_ones(limited: APIFlask) -> None:
    for email in (ALICE, "new@example.com"):
        body = {"email": email, "password": PASSWORD}
        found = Counter(
            limited.test_client()
            .post("/api/v1/auth/signup", json=body, headers={"X-Forwarded-For": f"203.0.113.{n}"})
            .status_code
            for n in range(12)
        )
        assert found == {202: 10, 429: 2}


def test_with_redis_all_processes_count_together(make_app: MakeApp, redis_url: str) -> None:
    one, other = (make_app(rate_limits=True, redis_url=redis_url) for _ in range(2))
    assert statuses(one, 6) == {401: 6}
    assert statuses(other, 6) == {401: 4, 429: 2}
    response = try_(one)
    assert response.status_code == 429
    assert 880 <= int(response.headers["Retry-After"]) <= 900


def test_with_redis_a_success_gives_back_itself_too(make_app: MakeApp, redis_url: str) -> None:
    one, other = (make_app(rate_limits=True, redis_url=redis_url) for _ in range(2))
    create_user(one)
    statuses(one, 9)
    assert statuses(other, 3, password=PASSWORD) == {200: 3}
    assert statuses(other, 2) == {401: 1, 429: 1}


def test_no_address_and_no_password_stands_in_redis(make_app: MakeApp, redis_url: str) -> None:
    app = make_app(rate_limits=True, redis_url=redis_url)
    statuses(app, 2)
    with Redis.from_url(redis_url) as redis:
        keys = b" ".join(redis.scan_iter())
    assert keys
    assert ALICE.encode() not in keys
    assert WRONG.encode() not in keys


def test_while_redis_is_down_each_process_counts(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(rate_limits=True, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    create_user(app)
    assert try_(app, PASSWORD).status_code == 200
    assert statuses(app, 12) == {401: 10, 429: 2}
    complaints = [record for record in caplog.records if "Redis" in record.getMessage()]
    assert len(complaints) == 1, "one line a minute, not one a request"
