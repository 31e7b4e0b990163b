"""Access tokens, verified with the published keys, and the feed of the sessions that ended."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
import requests

logger = logging.getLogger(__name__)

# Seconds. A token that is older than this is refused whatever it says, so that what the feed told
# longer ago can be forgotten; at least ACCESS_TOKEN_EXPIRES.
MAX_TOKEN_AGE = 3600
LEEWAY = 10
KEYS_MAX_AGE = 300
POLL_EVERY = 1.0
TIMEOUT = 5


class Refused(Exception):
    """The token is not one to be trusted."""


class NotKnownYet(Exception):
    """Whether it is to be trusted cannot be told now: try again."""


class Keys:
    """The public keys: kept for five minutes, and read once a minute at most, whatever comes."""

    def __init__(self, url: str, read_every: float) -> None:
        """Prepare, without reading yet.

        :param read_every: seconds between two readings, at least; a storm of made-up kids is no
            reason to read more often.
        """
        self._url = url
        self._read_every = read_every
        self._keys: dict[str, jwt.PyJWK] = {}
        self._read_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def find(self, kid: str) -> jwt.PyJWK | None:
        """Return a key, having read them again if it is not known or they are old."""
        with self._lock:
            is_old = time.monotonic() - self._read_at > KEYS_MAX_AGE
            # Before there are any, there is nothing that a storm could be about.
            pause = self._read_every if self._keys else min(self._read_every, 2)
            if (kid not in self._keys or is_old) and time.monotonic() - self._tried_at >= pause:
                self._tried_at = time.monotonic()
                self._read()
            if not self._keys:
                raise NotKnownYet
            return self._keys.get(kid)

    def _read(self) -> None:
        try:
            # Past caches on the way: they may still keep the keys from before a rotation.
            reply = requests.get(self._url, headers={"Cache-Control": "no-cache"}, timeout=TIMEOUT)
            reply.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(reply.json()).keys
        except (requests.RequestException, jwt.PyJWTError, ValueError) as error:
            logger.warning("the keys could not be read: %s", error)
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._read_at = time.monotonic()


class EndedSessions:
    """What the feed has told: by session, the moment before which its tokens are no good."""

    def __init__(self, url: str, token: str, max_age: float) -> None:
        """Prepare, without reading yet.

        :param max_age: seconds for which what was read last can be relied upon.
        """
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._max_age = max_age
        self._cursor = ""
        self._not_before: dict[str, tuple[float, float]] = {}
        self._read_at = float("-inf")

    def poll(self) -> None:
        """Read on for as long as this process runs."""
        while True:
            started_at = time.monotonic()
            try:
                self._read()
                self._read_at = started_at
            except (requests.RequestException, ValueError, KeyError) as error:
                logger.warning("the feed could not be read: %s", error)
            time.sleep(POLL_EVERY)

    def check(self, session_id: str, issued_at: float) -> None:
        """Refuse a token of a session that has ended or changed since it was issued."""
        if time.monotonic() - self._read_at > self._max_age:
            raise NotKnownYet
        not_before, _ = self._not_before.get(session_id, (0.0, 0.0))
        if issued_at < not_before:
            raise Refused

    def _read(self) -> None:
        query = {"since": self._cursor} if self._cursor else {}
        reply = requests.get(self._url, params=query, headers=self._headers, timeout=TIMEOUT)
        if reply.status_code == 422:
            self._cursor = ""  # Not a cursor any more, after a restored backup, say: begin anew.
        reply.raise_for_status()
        body = reply.json()
        now = time.monotonic()
        known = {
            sid: (moment, heard_at)
            for sid, (moment, heard_at) in self._not_before.items()
            if now - heard_at < MAX_TOKEN_AGE + LEEWAY
        }
        for item in body["data"]:
            moment = datetime.fromisoformat(item["not_before"]).timestamp()
            known[item["sid"]] = (max(moment, known.get(item["sid"], (0.0,))[0]), now)
        self._not_before, self._cursor = known, body["next"]


@dataclass(frozen=True)
class Expected:
    """What a token has to say, and what it has to be signed with."""

    issuer: str
    audience: str
    algorithm: str


class Verifier:
    """Reads access tokens of one Latchkey."""

    def __init__(self, expected: Expected, keys: Keys, ended: EndedSessions) -> None:
        """Take what tokens have to say, and where to learn what is true."""
        self._expected, self._keys, self._ended = expected, keys, ended

    def start(self) -> None:
        """Follow the feed, beside the requests."""
        threading.Thread(target=self._ended.poll, daemon=True).start()

    def verify(self, token: str) -> dict[str, Any]:
        """Return what an access token says.

        :raises Refused: when it is none, has expired, or its session has ended.
        :raises NotKnownYet: when the keys or the feed cannot be read.
        """
        expected = self._expected
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if (
                header.get("alg") != expected.algorithm
                or "crit" in header
                or not isinstance(kid, str)
            ):
                raise Refused
            key = self._keys.find(kid)
            if key is None or key.algorithm_name != expected.algorithm:
                raise Refused
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[expected.algorithm],  # Ours, never the one that the token asks for.
                issuer=expected.issuer,
                audience=expected.audience,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "sub", "sid", "type"]},
            )
        except (jwt.PyJWTError, ValueError):
            raise Refused from None
        # A refresh token is signed with the same key, and is not for showing here.
        if claims["type"] != "access" or not isinstance(claims["sid"], str):
            raise Refused
        if time.time() - claims["iat"] > MAX_TOKEN_AGE + LEEWAY:
            raise Refused
        self._ended.check(claims["sid"], claims["iat"])
        return claims
