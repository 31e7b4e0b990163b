"""Where the time of a request goes, as a picture: docs/performance.svg.

    python -m benchmarks.layers

One process answers requests without a server in front, on PostgreSQL; every millisecond it is noted
whose code is running. What the standard library does counts for whoever called it.
"""

import io
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from benchmarks import servers
from benchmarks.subjects import PASSWORD, ROOT, latchkey

SECONDS = 6.0
PICTURE = ROOT / "docs" / "performance.svg"

# From the bottom of each bar; the first that a frame's file is of.
LAYERS = {
    "PostgreSQL, waited for": ("psycopg/connection.py", "webapp/stores/engine.py"),
    "psycopg": ("psycopg",),
    "SQLAlchemy": ("sqlalchemy",),
    "tokens (PyJWT, cryptography)": ("jwt/", "cryptography", "flask_jwt_extended"),
    "pages (Jinja, WTForms)": ("jinja2", "markupsafe", "wtforms", "flask_wtf", "/templates/"),
    "Flask, Werkzeug": ("flask", "werkzeug", "blinker"),
    "pydantic": ("pydantic",),
    "Latchkey": (f"{ROOT}/webapp", f"{ROOT}/config"),
}
COLOURS = ("#33658a", "#4f8fb8", "#86bbd8", "#758e4f", "#f6ae2d", "#b8b8aa", "#d4a373", "#c8553d")


def layer_of(frame: FrameType | None) -> str:
    """Return whose code is running: the innermost that is none of Python's own."""
    while frame is not None:
        file = frame.f_code.co_filename
        for name, parts in LAYERS.items():
            if any(part in file for part in parts):
                return name
        frame = frame.f_back
    return "other"


@contextmanager
def sampled(found: Counter[str]) -> Iterator[None]:
    """Note every millisecond what runs."""

    def note(_signal: int, frame: FrameType | None) -> None:
        found[layer_of(frame)] += 1

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def request(app: Any, method: str, path: str, token: str = "", body: object = None) -> bytes:
    """Send one request past any server, and return the body of the answer."""
    data = json.dumps(body).encode() if body else b""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_HOST": "id.example.org",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": sys.stderr,
    }
    if token:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    if data:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(data))}
    statuses: list[str] = []
    answer = app(environ, lambda status, _headers, *_: statuses.append(status))
    sent = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    assert statuses[0].startswith("2"), (path, statuses, sent)
    return sent


def measure(work: Callable[[], object]) -> tuple[float, Counter[str]]:
    """Return how long a request takes, in microseconds, and how its time is divided."""
    for _ in range(200):
        work()
    until, done = time.perf_counter() + SECONDS, 0
    found: Counter[str] = Counter()
    began = time.perf_counter()
    with sampled(found):
        while time.perf_counter() < until:
            work()
            done += 1
    return (time.perf_counter() - began) / done * 1e6, found


def picture(bars: dict[str, tuple[float, Counter[str]]]) -> str:
    """Draw a bar for each request, as long as it takes."""
    longest = max(taken for taken, _ in bars.values())
    names = [*LAYERS, "other"]
    colours = dict(zip(names, (*COLOURS, "#8a8a8a"), strict=True))
    lines, y = [], 20
    for title, (taken, found) in bars.items():
        total, x = sum(found.values()), 110.0
        lines.append(f'<text x="100" y="{y + 17}" text-anchor="end">{title}</text>')
        for name in names:
            width = 520 * taken / longest * found[name] / total
            if width > 0.2:
                what = f"{title}: {name}, {taken * found[name] / total:.0f} µs"
                lines.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="24" '
                    f'fill="{colours[name]}"><title>{what}</title></rect>'
                )
            x += width
        lines.append(f'<text x="{x + 8:.1f}" y="{y + 17}">{taken:,.0f} µs</text>')
        y += 36
    y += 8
    for number, name in enumerate(names):
        left, top = 110 + number % 3 * 205, y + number // 3 * 22
        lines.append(f'<rect x="{left}" y="{top}" width="12" height="12" fill="{colours[name]}"/>')
        lines.append(f'<text x="{left + 18}" y="{top + 11}">{name}</text>')
    height = y + 3 * 22 + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 730 {height}" role="img" '
            'font-family="system-ui, sans-serif" font-size="13">',
            "<title>Where the time of a request goes</title>",
            f'<rect width="730" height="{height}" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Measure and draw."""
    subject = latchkey()
    with servers.database("postgresql") as url:
        servers.fill(subject, url, 10, 1000)
        os.environ |= subject.variables(url, 10)
        from config import Settings
        from webapp.extensions import db
        from webapp.factory import create_app

        app = create_app(Settings.from_env())
        auth = "/api/v1/auth"
        body = {
            "email": "person-1@example.com",
            "password": PASSWORD,
            "transport": "bearer",
        }
        pair = json.loads(request(app, "POST", f"{auth}/login", body=body))

        def refresh() -> None:
            chosen = {"refresh_token": pair["refresh_token"]}
            pair.update(json.loads(request(app, "POST", f"{auth}/refresh", body=chosen)))

        token = pair["access_token"]
        bars = {
            "check": measure(lambda: request(app, "GET", f"{auth}/check", token)),
            "me": measure(lambda: request(app, "GET", f"{auth}/me", token)),
            "refresh": measure(refresh),
            "sign-in page": measure(lambda: request(app, "GET", "/login")),
        }
        with app.app_context():
            db.engine.dispose()
    for title, (taken, found) in bars.items():
        total = sum(found.values())
        shares = ", ".join(f"{name} {100 * n / total:.0f} %" for name, n in found.most_common())
        print(f"{title}: {taken:.0f} µs; {shares}")
    PICTURE.write_text(picture(bars))


if __name__ == "__main__":
    main()
