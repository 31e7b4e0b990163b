"""The application that a WSGI server runs, from the environment's settings."""

import sys

from config import Settings, SettingsError
from webapp.factory import create_app

try:
    app = create_app(Settings.from_env())
except SettingsError as error:
    sys.stderr.write(f"Latchkey does not start:\n{error}\n")
    # 3 is the code that makes gunicorn stop, where any other would have it try for ever.
    raise SystemExit(3) from None
