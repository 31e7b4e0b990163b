"""The deployment default; every line can be overridden on gunicorn's command line."""

import os
import sys
from typing import Any

from config import Settings, SettingsError
from webapp.services.keys import load_keys

try:
    _settings = Settings.from_env()
    load_keys(_settings)
except SettingsError as error:
    # Said once, here, before any worker is started.
    sys.exit(f"Latchkey does not start:\n{error}")

wsgi_app = "wsgi:app"
bind = os.environ.get("BIND", f"127.0.0.1:{_settings.port}")
workers = int(os.environ.get("WEB_CONCURRENCY", os.cpu_count() or 1))
# Threads, since most of a request is waiting for the database or, outside the interpreter's
# lock, for bcrypt; more of them than may wait for a hash, so that refreshing never queues behind.
worker_class = "gthread"
threads = int(os.environ.get("THREADS", "32"))
timeout = 60
keepalive = 5
graceful_timeout = 30
control_socket_disable = True
# The path without its query, which may hold a link's token.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'
forwarded_allow_ips = ""


def when_ready(_server: Any) -> None:
    """Say where it is, once it can be reached."""
    sys.stderr.write(f"\n  Latchkey is at {_settings.base_url}\n")
    if not _settings.is_production:
        sys.stderr.write(f"  Development mail is at {_settings.base_url}/dev/mailbox\n")
    sys.stderr.write("  Ctrl-C stops it.\n\n")


def post_worker_init(worker: Any) -> None:
    """Have each worker deliver what waits in the outbox."""
    worker.wsgi.extensions["latchkey"].mailer.wake()


def worker_exit(_server: Any, worker: Any) -> None:
    """Let a message under way be finished."""
    application = getattr(worker, "wsgi", None)
    if application is not None:
        application.extensions["latchkey"].mailer.stop()
