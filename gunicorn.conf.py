"""The deployment default; every line can be overridden on gunicorn's command line."""

import gc
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

# Where the workers put what GET /metrics adds up. Before all else, for prometheus_client looks
# once, when it is imported; in memory where there is such a place, as a full disk would end a
# worker. Where a master reads this again (SIGHUP), the place stays.
_METRICS, _PREFIX = "PROMETHEUS_MULTIPROC_DIR", "latchkey-metrics-"
if _METRICS not in os.environ:
    _memory = "/dev/shm"  # noqa: S108 - mkdtemp makes a name of its own in there, for us alone
    _place = _memory if os.access(_memory, os.W_OK) else None
    os.environ[_METRICS] = tempfile.mkdtemp(prefix=_PREFIX, dir=_place)
_metrics_dir = Path(os.environ[_METRICS])
_is_ours = _metrics_dir.name.startswith(_PREFIX)

# Until all is loaded: to look again and again for what may go, where all stays, takes a quarter
# of the start.
gc.disable()

_HERE = f"{Path(__file__).parent}{os.sep}"
_former = [
    name
    for name, module in sys.modules.items()
    if (getattr(module, "__file__", None) or "").startswith(_HERE) and "/.venv/" not in str(module)
]
if _former:
    # On SIGHUP, everything is to be as its file has it by now, and what it was is let go of.
    for _name in _former:
        del sys.modules[_name]
    gc.unfreeze()
    gc.collect()

from config import Settings, SettingsError  # noqa: E402
from webapp.factory import warm_up  # noqa: E402
from webapp.services.keys import load_keys  # noqa: E402

try:
    _settings = Settings.from_env()
    load_keys(_settings)
except SettingsError as error:
    if _is_ours:
        _metrics_dir.rmdir()
    # Said once, here, before any worker is started.
    sys.exit(f"Latchkey does not start:\n{error}")

_is_loaded = False
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


def on_starting(_server: Any) -> None:
    """Begin at nothing: what an earlier run counted would be added to this one's."""
    _metrics_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in _metrics_dir.glob("*.db"):
        left_over.unlink()


def when_ready(_server: Any) -> None:
    """Say where it is, once it can be reached."""
    sys.stderr.write(f"\n  Latchkey is at {_settings.root_url}\n")
    if not _settings.is_production:
        sys.stderr.write(f"  Development mail is at {_settings.root_url}/dev/mailbox\n")
    sys.stderr.write("  Ctrl-C stops it.\n\n")


def pre_fork(server: Any, _worker: Any) -> None:
    """Load the application once, before the first worker: the others share its memory."""
    global _is_loaded  # noqa: PLW0603
    if not (_is_loaded or server.cfg.reload):
        _is_loaded = True
        server.app.callable = None
        with suppress(Exception):
            # Each worker would meet the same error, and says so.
            warm_up(_latchkey_of(server.app.wsgi()))
        # The collector, going through what is there by now, would have it copied.
        gc.freeze()
    gc.enable()


def post_fork(_server: Any, _worker: Any) -> None:
    """Have the place for the numbers, though somebody may have cleared it away since the start."""
    _metrics_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def post_worker_init(worker: Any) -> None:
    """Have each worker deliver what waits in the outbox."""
    _mailer_of(worker.wsgi).wake()


def child_exit(_server: Any, worker: Any) -> None:
    """Take a worker that ended, however it did, out of what is added up of the living."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Clear up."""
    if _is_ours:
        shutil.rmtree(_metrics_dir, ignore_errors=True)


def worker_exit(_server: Any, worker: Any) -> None:
    """Let a message under way be finished."""
    application = getattr(worker, "wsgi", None)
    if application is not None:
        _mailer_of(application).stop()


def _mailer_of(application: Any) -> Any:
    return _latchkey_of(application).extensions["latchkey"].mailer


def _latchkey_of(application: Any) -> Any:
    """Return the Latchkey that an application is, or the one in front of it."""
    mounted = application.extensions.get("latchkey_host")
    return mounted.app if mounted else application
