"""A directory of signing keys, which nodes share: a file a key, whole or not there at all."""

import logging
import os
import re
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_ISREG

from config import SettingsError
from config_values import weakness
from webapp import clock
from webapp.services.signing_keys import ALWAYS, SigningKey, key_of, make_key

logger = logging.getLogger(__name__)

# How long a new key is published before it signs. By then every worker has seen it: they look
# every two seconds, and once more when a token names a key that they do not know.
PUBLISHED_BEFORE = timedelta(seconds=5)

# Our own names say which algorithm a key is for and from when it signs, which a copy of the file
# keeps, unlike its times: eddsa-20261121T054044Z-Ab12Cd34.pem.
_OURS = re.compile(r"(eddsa|es256|rs256|hs256)-(?:(\d{8}T\d{6}Z)-)?")
_STAMP = "%Y%m%dT%H%M%SZ"
_LARGEST = 64 * 1024

Fingerprint = tuple[int, int, int, int]


class KeyDirectory:
    """The keys of one algorithm in one directory, read again where a file has changed."""

    def __init__(self, path: Path, algorithm: str) -> None:
        """Prepare, without reading yet."""
        self.path = path
        self._algorithm = algorithm
        self._suffix = ".secret" if algorithm == "HS256" else ".pem"
        self._read: dict[str, tuple[Fingerprint, SigningKey]] = {}
        self._refused: dict[str, Fingerprint] = {}

    def read(self) -> list[SigningKey]:
        """Return the keys in the order in which they sign.

        A file that is no key, or only half of one yet, is left out and logged; one that was a key
        before counts as that key until it can be read again or is gone.

        :raises OSError: when there is no directory, or it cannot be listed.
        """
        found: dict[str, tuple[Fingerprint, SigningKey]] = {}
        with os.scandir(self.path) as entries:
            for entry in entries:
                if self._is_meant(entry.name) and (key := self._key_in(entry)):
                    found[entry.name] = key
        self._read = found
        keys = [key for _, key in found.values()]
        return sorted(keys, key=lambda key: (key.signs_from, key.source))

    def add(self, delay: timedelta = PUBLISHED_BEFORE) -> SigningKey:
        """Make a key that signs after this delay; safe on several nodes at once.

        :raises OSError: when the directory cannot be written to.
        """
        # A whole second, since its name says no less; rounded up.
        signs_from = (clock.now() + delay).replace(microsecond=0) + timedelta(seconds=1)
        text = make_key(self._algorithm)
        kid = key_of(text, self._algorithm, "A new key").kid
        stamp = signs_from.strftime(_STAMP)
        name = f"{self._algorithm.lower()}-{stamp}-{kid[:8]}{self._suffix}"
        write_once(self.path / name, text)
        return replace(key_of(text, self._algorithm, name), signs_from=signs_from)

    def add_first(self) -> None:
        """Make a key that signs at once; of several processes that try, one makes it."""
        name = f"{self._algorithm.lower()}-first{self._suffix}"
        write_once(self.path / name, make_key(self._algorithm))

    def remove(self, kid: str) -> None:
        """Delete a key, in however many files it stands.

        :raises OSError: when the directory cannot be written to.
        """
        for key in self.read():
            if key.kid == kid:
                (self.path / key.source).unlink(missing_ok=True)

    def _is_meant(self, name: str) -> bool:
        """Whether a file is for us: our names say the algorithm, others are taken as they are."""
        ours = _OURS.match(name)
        is_of_algorithm = ours is None or ours[1] == self._algorithm.lower()
        return name.endswith(self._suffix) and not name.startswith(".") and is_of_algorithm

    def _key_in(self, entry: os.DirEntry[str]) -> tuple[Fingerprint, SigningKey] | None:
        before = self._read.get(entry.name)
        fingerprint: Fingerprint = (0, 0, 0, 0)
        try:
            stat = entry.stat()
            fingerprint = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if before and before[0] == fingerprint:
                return before
            key = self._parse(entry, stat)
        except FileNotFoundError:
            return None  # Retired while we looked.
        except (OSError, ValueError) as error:
            # Most often somebody is still writing it: it is tried again at the next look.
            if self._refused.get(entry.name) != fingerprint:
                logger.warning("%s in %s cannot be used: %s", entry.name, self.path, error)
                self._refused[entry.name] = fingerprint
            return before
        return fingerprint, replace(key, signs_from=_signs_from(entry.name, stat.st_mtime))

    def _parse(self, entry: os.DirEntry[str], stat: os.stat_result) -> SigningKey:
        if not S_ISREG(stat.st_mode) or stat.st_size > _LARGEST:
            raise SettingsError("It is no file of a key.")
        text = Path(entry.path).read_text("ascii")
        if self._algorithm == "HS256" and (problem := weakness(text.strip())):
            raise SettingsError(f"It {problem}.")
        return key_of(text, self._algorithm, entry.name)


def make_secret_file(path: Path) -> str:
    """Return the secret in a file, making it when there is none; safe in several processes."""
    if not path.exists():
        write_once(path, make_key("HS256"))
    return path.read_text()


def write_once(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all, never over another one.

    :raises OSError: when it cannot be written.
    """
    path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:
            # Made in root's shell, it has to be read by whoever the site runs as.
            folder = path.parent.stat()
            os.chown(temporary, folder.st_uid, folder.st_gid)
        os.link(temporary, path)
    except FileExistsError:
        pass  # Another process of ours was quicker; its file is as good.
    finally:
        os.unlink(temporary)


def _signs_from(name: str, modified_at: float) -> datetime:
    ours = _OURS.match(name)
    if ours is None:
        return datetime.fromtimestamp(modified_at, UTC) + PUBLISHED_BEFORE
    if ours[2] is None:
        return ALWAYS  # The first one, whatever became of its file since.
    return datetime.strptime(ours[2], _STAMP).replace(tzinfo=UTC)
