"""Latchkey beside its peers, beside bare Flask and beside what bcrypt allows, in one go.

    python -m benchmarks.bench [--quick] [--rounds N] [--seconds N] [--only NAME ...]

Every round measures every subject, so that what else the machine does hits all of them alike; the
figures are medians of the rounds. Needs wrk, and PostgreSQL at 127.0.0.1:5432 that lets postgres
in. Without --only and --quick it writes benchmarks/results.md.
"""

import argparse
import contextlib
import multiprocessing
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from benchmarks import load, report, servers
from benchmarks.load import Load
from benchmarks.servers import Server
from benchmarks.statements import counted
from benchmarks.subjects import Subject, latchkey, make_environment, peer

CONNECTIONS = 8
PEOPLE = 20_000
COST, CHEAP = 12, 4
HASHED = ("sign_in", "sign_up")

LIMITS = [peer("bare_flask"), peer("bare_flask", "gthread"), peer("floor")]
VARIANTS = [
    latchkey(),
    latchkey(workers="gthread"),
    latchkey(sessions="redis"),
    latchkey(workers="gthread", sessions="redis"),
    latchkey("sqlite"),
    latchkey("sqlite", "gthread"),
]
PEERS = [
    peer(name)
    for name in ("flask_jwt_extended", "flask_security", "allauth", "simplejwt", "fastapi_users")
]
QUICK = [*LIMITS[:2], latchkey(), latchkey(workers="gthread"), latchkey("sqlite", "gthread")]

Figures = dict[str, dict[str, list[float]]]


def hash_for(cost: int, seconds: float) -> int:
    """Count how many passwords one process hashes in some time."""
    import bcrypt

    salt, until, done = bcrypt.gensalt(cost), time.monotonic() + seconds, 0
    while True:
        bcrypt.hashpw(b"correct horse 17", salt)
        if time.monotonic() > until:
            return done
        done += 1


def bcrypt_bound(cost: int, seconds: float, workers: int = 2) -> float:
    """Return how many sign-ins a second the hash alone allows on as many cores as workers."""
    with multiprocessing.Pool(workers) as pool:
        return sum(pool.starmap(hash_for, [(cost, seconds)] * workers)) / seconds


def pairs_for(server: Server, count: int, start: int) -> list[dict[str, str]]:
    """Sign somebody in for each connection and return the tokens."""
    sign_in = servers.operation(server.subject, "sign_in")
    keys = server.subject.declared.get("tokens", {})
    if sign_in is None:
        return [{"access": "", "refresh": ""}] * count
    found = []
    for number in range(start, start + count):
        answer = servers.ask(server.url, sign_in, email=f"person-{number % PEOPLE}@example.com")
        found.append({name: report.find(answer, key) for name, key in keys.items()})
    return found


def measure(server: Server, name: str, seconds: float, start: int) -> load.Measured | None:
    """Measure one operation of a subject that runs, if it has it."""
    operation = servers.operation(server.subject, name.removesuffix(" again"))
    if operation is None:
        return None
    people = {"people": PEOPLE, "start": start} if name == "sign_in" else {}
    tokens = [{}] * CONNECTIONS
    if name not in ("json", "page", *HASHED):
        tokens = pairs_for(server, CONNECTIONS, start)
    wanted = Load(
        tokens,
        chain=name == "refresh",
        new=f"{start}-{time.time_ns()}" if name == "sign_up" else "",
        refresh_key=server.subject.declared.get("tokens", {}).get("refresh", ""),
        **people,
    )
    measured = load.run(server.url, operation, wanted, CONNECTIONS, seconds)
    if measured.refused > measured.requests / 100 or measured.broken:
        print(f"    {name}: {measured.refused} refused, {measured.broken} broken", flush=True)
    if name in HASHED:
        time.sleep(1.5)  # What was still being hashed when the time was over.
    return measured


def one_round(subject: Subject, url: str, number: int, seconds: float, figures: Figures) -> None:
    """Measure everything of one subject once."""
    print(f"  {subject.title}", flush=True)
    found = figures[subject.name]
    start = number * 3000 + 1000
    with servers.serve(subject, url, COST) as server:
        found["start-up"].append(server.started_in)
        for name in ("json", "check", "me", "page", "refresh"):
            # The first requests of a process import, connect and prepare.
            measure(server, name, 1, start)
            before = server.cpu_seconds()
            if measured := measure(server, name, seconds, start + 100):
                spent = server.cpu_seconds() - before
                found[name].append(measured.rate)
                found[f"{name} p99"].append(measured.p99)
                found[f"{name} cpu"].append(1000 * spent / measured.requests)
        for name in HASHED:
            if measured := measure(server, name, 2.5 * seconds, start + 200):
                found[name].append(measured.rate)
        found["memory"].append(server.memory())


def repeats(subject: Subject, url: str, seconds: float, figures: Figures) -> None:
    """Measure refreshes inside the window, which hand out the same successor again."""
    with servers.serve(subject, url, COST, grace="30s") as server:
        measure(server, "refresh again", 1, 500)
        if measured := measure(server, "refresh again", seconds, 600):
            figures[subject.name]["refresh again"].append(measured.rate)
            figures[subject.name]["refresh again p99"].append(measured.p99)


def cheap_sign_in(subject: Subject, seconds: float, figures: Figures) -> None:
    """Measure the processor time of a sign-in whose hash costs next to nothing."""
    with servers.database(subject.database) as url:
        servers.fill(subject, url, CHEAP, PEOPLE)
        with servers.serve(subject, url, CHEAP) as server:
            measure(server, "sign_in", 1, 0)
            before = server.cpu_seconds()
            measured = measure(server, "sign_in", seconds, 5000)
            if measured is not None:
                spent = server.cpu_seconds() - before
                figures[subject.name]["cheap sign_in cpu"].append(1000 * spent / measured.requests)


def count_statements(subject: Subject, url: str, counts: report.Counts) -> None:
    """Count what each operation sends to PostgreSQL once everything is connected and prepared."""
    with counted(url) as (past, counter), servers.serve(subject, past, COST, 1) as server:
        for name in ("check", "me", "refresh", "sign_in", "sign_up"):
            operation = servers.operation(subject, name)
            if operation is None:
                continue
            seen: list[str] = []
            for turn in range(4):
                values = {"email": f"person-{turn}@example.com"}
                if name == "sign_up":
                    values = {"email": f"counted-{turn}@example.com"}
                elif name != "sign_in":
                    values = pairs_for(server, 1, turn)[0]
                # Whatever a process does once a second is done before, and not counted.
                if name == "me":
                    servers.ask(server.url, operation, **values)
                counter.seen.clear()
                servers.ask(server.url, operation, **values)
                time.sleep(0.02)
                seen = list(counter.seen)
            counts[subject.name][name] = seen


@contextlib.contextmanager
def filled(subjects: list[Subject]) -> Iterator[dict[str, str]]:
    """Make every subject's environment and database."""
    with ExitStack() as stack:
        urls = {}
        for subject in subjects:
            make_environment(subject)
            print(f"Filling {subject.title} ...", flush=True)
            urls[subject.name] = stack.enter_context(servers.database(subject.database))
            servers.fill(subject, urls[subject.name], COST, PEOPLE)
        yield urls


def main() -> None:
    """Measure, and print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="bare Flask and Latchkey, once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", nargs="*", default=[], help="names of subjects")
    options = parser.parse_args()
    load.need_wrk()
    chosen = QUICK if options.quick else [*LIMITS, *VARIANTS, *PEERS]
    if options.only:
        chosen = [subject for subject in chosen if subject.name in options.only]
    rounds, seconds = (1, 1.0) if options.quick else (options.rounds, options.seconds)
    figures: Figures = defaultdict(lambda: defaultdict(list))
    counts: report.Counts = defaultdict(dict)
    began = time.monotonic()
    with filled(chosen) as urls:
        for number in range(rounds):
            print(f"Round {number + 1} of {rounds}, {time.monotonic() - began:.0f} s", flush=True)
            figures["bcrypt"]["bound"].append(bcrypt_bound(COST, 2.5 * seconds))
            for subject in chosen:
                one_round(subject, urls[subject.name], number, seconds, figures)
                if subject.is_latchkey and not options.quick:
                    repeats(subject, urls[subject.name], seconds, figures)
        for subject in chosen if not options.quick else []:
            if "sign_in" in figures[subject.name]:
                cheap_sign_in(subject, seconds, figures)
            if subject.database == "postgresql":
                count_statements(subject, urls[subject.name], counts)
    medians = {
        name: {key: median(values) for key, values in found.items()}
        for name, found in figures.items()
    }
    text = report.table(chosen, medians, counts, rounds, seconds)
    print(text)
    if not options.quick and not options.only:
        report.write(text)


if __name__ == "__main__":
    main()
