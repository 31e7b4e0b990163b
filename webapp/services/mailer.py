"""Mail: written into the outbox with what it tells about, delivered by a thread of its own."""

import atexit
import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from config import ROOT, Settings
from webapp import clock
from webapp.errors import TemporarilyUnavailable
from webapp.services.colours import ink_on
from webapp.services.delivery import deliver_due
from webapp.services.ids import new_id
from webapp.services.protocols import MailTransport
from webapp.stores import outbox
from webapp.stores.outbox import Message
from webapp.stores.transactions import on_commit, read
from webapp.stores.users import Account

logger = logging.getLogger(__name__)

# How long the thread sleeps at most, since other processes put messages in too.
_NAP = 5.0


class Mailer:
    """Renders and keeps messages, and runs the thread that delivers them for this process."""

    def __init__(
        self,
        settings: Settings,
        in_application: Callable[[], AbstractContextManager[object]],
        transport: MailTransport | None,
        templates: Path = ROOT / "templates",
    ) -> None:
        """Prepare; the thread starts with the first :meth:`wake`.

        :param in_application: makes the context in which the database can be reached.
        :param transport: what sends; without one, mail stays in the outbox.
        """
        self._settings = settings
        self._in_application = in_application
        self._transport = transport
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["exact"] = exact_time
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._is_awake = threading.Event()
        self._is_stopping = False

    def link(self, path: str) -> str:
        """Return the address of a page of ours: BASE_URL and nothing else decides the origin."""
        return self._settings.root_url + path

    def send(self, template: str, account: Account, to: str = "", **context: Any) -> None:
        """Put a message into the outbox, part of a transaction; it leaves after the commit.

        :param account: whose account it is about.
        :param to: the address, where that is not the account's present one.
        :param template: the name of the pair in templates/mail; the text begins with its subject.
        """
        recipient = to or account.email
        accent = self._settings.app_accent
        context |= {
            "app_name": self._settings.app_name,
            "root_url": self._settings.root_url,
            "accent": accent,
            "accent_ink": ink_on(accent) if accent else "",
        }
        head, _, text = self._render(f"{template}.txt", context).partition("\n\n")
        subject = " ".join(head.removeprefix("Subject:").split())
        now = clock.now()
        message = Message(
            id=new_id(),
            template=template,
            user_id=account.id,
            recipient=recipient,
            subject=subject,
            text=text.strip() + "\n",
            html=self._render(f"{template}.html", context),
            created_at=now,
            attempts=0,
            # Development keeps what it cannot send, rather than sending it all one day.
            due_at=now if self._transport or self._settings.is_production else None,
        )
        outbox.add(message)
        on_commit(self.wake)
        if not self._settings.is_production:
            on_commit(
                lambda: logger.info(
                    "mail to %s: %s %s", recipient, subject, context.get("link", "")
                )
            )

    def wake(self) -> None:
        """Have this process's thread look into the outbox now, starting it if need be."""
        if self._transport is None:
            return
        with self._lock:
            if self._thread is None or self._process != os.getpid():
                self._process = os.getpid()
                self._is_awake = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._transport,), name="mail", daemon=True
                )
                self._thread.start()
                # A command ends once it has said its word, a worker when it is told to: neither
                # may drop a message that is claimed, which would then wait for the claim's end.
                atexit.register(self.stop)
        self._is_awake.set()

    def stop(self, patience: float = 10.0) -> None:
        """Let the message under way be finished, then end the thread; for a process that exits."""
        self._is_stopping = True
        self._is_awake.set()
        if self._thread and self._process == os.getpid():
            self._thread.join(patience)

    def _render(self, name: str, context: dict[str, Any]) -> str:
        return self._environment.get_template(f"mail/{name}").render(context)

    def _run(self, transport: MailTransport) -> None:
        pause = 0.0
        while not self._is_stopping:
            self._is_awake.wait(pause)
            self._is_awake.clear()
            try:
                with self._in_application():
                    deliver_due(self._settings, transport, lambda: self._is_stopping)
                    pause = self._pause()
            except TemporarilyUnavailable:
                pause = _NAP
            except Exception:
                # The thread is all that delivers here: it reports and goes on.
                logger.exception("mail delivery failed unexpectedly")
                pause = _NAP

    def _pause(self) -> float:
        due = read(outbox.earliest_due)
        return _NAP if due is None else min(_NAP, max(0.1, (due - clock.now()).total_seconds()))


def exact_time(moment: datetime) -> str:
    """Return a moment in words, such as "21 November 2026, 14:05 UTC"."""
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
