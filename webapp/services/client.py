"""Where a request comes from, as far as the rules care."""

import re
from dataclasses import dataclass

_BROWSERS = (
    ("Edg/", "Edge"), ("EdgA/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"), ("curl/", "curl"), ("python-requests/", "Python requests"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Client:
    """The network address and the browser of whoever asks."""

    ip: str
    user_agent: str
    # What this browser was given by earlier sign-ins, to be recognized by.
    devices: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in words, such as "Firefox on Linux, 203.0.113.9"."""
        return ", ".join(part for part in (describe_user_agent(self.user_agent), self.ip) if part)


def clean_user_agent(header: str) -> str:
    """Return what is kept of a User-Agent header: at most 256 printable characters."""
    return re.sub(r"[^\x20-\x7e]", "", header)[:256]


def describe_user_agent(user_agent: str) -> str:
    """Return the browser and the system in words, such as "Firefox on Linux"."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return " on ".join(part for part in (browser, system) if part) or "An unknown device"
