# Latchkey in production; what it needs to know: docs/deploy.md.

FROM python:3.11-slim AS packages
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r /requirements.txt

FROM python:3.11-slim
# Where a site on SQLite keeps its file, and the keys that nodes share: both are meant for volumes.
RUN useradd --system --uid 10001 --no-create-home latchkey \
    && install -d -o latchkey -g latchkey -m 700 /data /keys
WORKDIR /app
COPY --from=packages /venv /venv
# The documentation, too: a secret that stands in it is refused.
COPY *.py *.md .flaskenv .env.example ./
COPY docs docs
COPY migrations migrations
COPY static static
COPY templates templates
COPY webapp webapp
RUN /venv/bin/python -m compileall -q webapp *.py
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 APP_ENV=production BIND=0.0.0.0:5000
USER latchkey
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:5000/healthz', timeout=3)"]
# Its workers' heartbeat is a file, which must not wait for a disk.
CMD ["gunicorn", "--worker-tmp-dir", "/dev/shm"]
