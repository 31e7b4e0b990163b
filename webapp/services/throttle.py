"""Limits: how often somebody may try, counted in this process or, with Redis, over all of them."""

import ipaddress
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from webapp.errors import TooManyAttempts
from webapp.services.secrets import digest

logger = logging.getLogger(__name__)

# Failed sign-ins. The pair comes first, so that somebody who guesses from one place never counts
# against the account far enough to lock its owner out elsewhere.
PER_PAIR = RateLimitItemPerMinute(10, 15, namespace="sign-in-pair")
PER_ADDRESS = RateLimitItemPerMinute(100, 15, namespace="sign-in-address")
PER_ACCOUNT = RateLimitItemPerMinute(100, 60, namespace="sign-in-account")
# A device that its owner has signed in from before is counted by itself: nobody else can use
# these up.
PER_DEVICE = RateLimitItemPerMinute(10, 15, namespace="sign-in-device")
# Failed sign-ins by way of a provider: there is nothing to guess, but each asks it something.
PROVIDER_SIGN_INS = RateLimitItemPerMinute(100, 15, namespace="provider-sign-in-address")
# Accounts made from one network address, and mail sent to one person, asked for or not.
SIGN_UPS = RateLimitItemPerMinute(300, 60, namespace="sign-up-address")
MAILS = RateLimitItemPerMinute(10, 60, namespace="mail-account")
MAILS_PER_ADDRESS = RateLimitItemPerMinute(300, 60, namespace="mail-address")


@dataclass(frozen=True, slots=True)
class Count:
    """One limit and whom it is counted for."""

    limit: RateLimitItem
    whom: tuple[str, ...]


class Throttle:
    """Counts tries; counting comes before trying, so that parallel tries do not slip through."""

    def __init__(self, redis_url: str, is_on: bool = True) -> None:
        """Count in Redis when there is one, and in this process while it is down."""
        self._is_on = is_on
        self._local = FixedWindowRateLimiter(MemoryStorage())
        self._redis_url = redis_url
        self._shared: FixedWindowRateLimiter | None = None
        self._complained_at = float("-inf")

    def begin_sign_in(
        self, ip: str, email: str, known_device: str | None = None
    ) -> tuple[Count, ...]:
        """Count one try to sign in; give it back with :meth:`forgive` when it succeeds.

        :param known_device: the id of a device that this person has signed in from before.
        :raises TooManyAttempts: when this address, this account or the two together have used
            up theirs.
        """
        if known_device:
            return self._count(Count(PER_DEVICE, (known_device,)))
        place, who = network_of(ip), digest(email)
        return self._count(
            Count(PER_PAIR, (place, who)), Count(PER_ADDRESS, (place,)), Count(PER_ACCOUNT, (who,))
        )

    def begin_provider_sign_in(self, ip: str) -> tuple[Count, ...]:
        """Count one try to sign in with a provider; give it back when it succeeds.

        :raises TooManyAttempts: when this address has used up its own.
        """
        return self._count(Count(PROVIDER_SIGN_INS, (network_of(ip),)))

    def count_sign_up(self, ip: str) -> None:
        """Count one sign-up.

        :raises TooManyAttempts: when there were too many from this address.
        """
        self._count(Count(SIGN_UPS, (network_of(ip),)))

    def count_mail(self, ip: str, email: str) -> None:
        """Count one mail that somebody asks for, whether or not there is such an account.

        :raises TooManyAttempts: when there were too many for this person or from this address.
        """
        place, who = network_of(ip), digest(email)
        self._count(Count(MAILS, (who,)), Count(MAILS_PER_ADDRESS, (place,)))

    def forgive(self, counts: tuple[Count, ...]) -> None:
        """Give a successful try back, and no more than that: earlier failures stay counted."""
        for count in counts:
            self._hit(count, -1)

    def _count(self, *counts: Count) -> tuple[Count, ...]:
        if not self._is_on:
            return ()
        for count in counts:
            if not self._hit(count, 1):
                raise TooManyAttempts(self._resets_in(count))
        return counts

    def _hit(self, count: Count, cost: int) -> bool:
        if self._redis_url:
            try:
                return self._connected().hit(count.limit, *count.whom, cost=cost)
            except StorageError:
                self._complain()
        return self._local.hit(count.limit, *count.whom, cost=cost)

    def _connected(self) -> FixedWindowRateLimiter:
        """Return the shared limits; a cluster has to be up when it is first connected to."""
        if self._shared is None:
            self._shared = FixedWindowRateLimiter(_redis(self._redis_url))
        return self._shared

    def _resets_in(self, count: Count) -> timedelta:
        for limiter in filter(None, (self._shared, self._local)):
            try:
                reset_at = limiter.get_window_stats(count.limit, *count.whom).reset_time
            except StorageError:
                continue
            if reset_at > time.time():
                return timedelta(seconds=reset_at - time.time())
        return timedelta(seconds=count.limit.get_expiry())

    def _complain(self) -> None:
        if time.monotonic() > self._complained_at + 60:
            self._complained_at = time.monotonic()
            logger.warning("Redis does not answer: limits are counted in this process for now")


def network_of(ip: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 that an IPv6 customer gets."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _redis(url: str) -> Storage:
    # Here, so that a site without Redis does not load its library.
    from redis.exceptions import RedisClusterException, RedisError  # noqa: PLC0415

    # Half a second: a hung Redis must not hold sign-in up.
    options: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    if url.startswith("rediss+cluster"):
        url = url.replace("rediss", "redis", 1)
        options["ssl"] = True
    try:
        return storage_from_string(url, wrap_exceptions=True, **options)  # type: ignore[return-value]
    except (RedisError, RedisClusterException) as error:
        raise StorageError(error) from error
