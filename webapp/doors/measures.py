"""How many requests there are, what becomes of them, and how long they take."""

import logging
import time

from flask import Flask, Response, g, request

from webapp.services.metrics import Metrics

logger = logging.getLogger(__name__)


def prepare(app: Flask, metrics: Metrics) -> None:
    """Have an application measure every request; before all else, so that nothing is left out."""

    @app.before_request
    def begin() -> None:
        g.began_at = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else None
        seconds = time.perf_counter() - g.began_at
        try:
            metrics.observe_request(request.method, rule, response.status_code, seconds)
        except OSError:
            # Somebody has cleared the folder away, or its disk is full: the answer is fine.
            logger.warning("a request could not be measured", exc_info=True)
        return response
