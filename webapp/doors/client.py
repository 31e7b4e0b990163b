"""Where the request at hand comes from."""

from flask import request

from webapp.doors import cookies
from webapp.services.client import Client, clean_user_agent


def client_of_request() -> Client:
    """Return the network address, behind the proxies that are trusted, and the browser."""
    return Client(
        ip=request.remote_addr or "unknown",
        user_agent=clean_user_agent(request.headers.get("User-Agent", "")),
        devices=cookies.device_cookies(),
    )
