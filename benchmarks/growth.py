"""What becomes of Latchkey as it grows, under a flood of sign-ins, and over very many requests.

    python -m benchmarks.growth [--sizes N ...] [--seconds N] [--requests N]

On PostgreSQL, two gthread workers. Each size has three sessions a person; the sizes are measured in
turns, several times. Writes benchmarks/growth.md when it ran with all that it has by default.
"""

import argparse
import json
import subprocess
import threading
import time
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks import load, report, servers
from benchmarks.bench import COST, bcrypt_bound
from benchmarks.load import Load, Measured
from benchmarks.servers import Server
from benchmarks.subjects import HERE, Subject, latchkey

SIZES = (1_000, 100_000, 1_000_000)
SESSIONS, TOKENS, CONNECTIONS, ROUNDS = 3, 2_000, 8, 3
RESULT = HERE / "growth.md"

# Sessions from this id on are ended and pruned, which is half of them.
PRUNED = "00000000-0000-7000-9000-8"

Pairs = list[dict[str, str]]


def session_of(token: str) -> str:
    """Return the session that a token is of."""
    payload = token.split(".")[1]
    return str(json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"])


def fill(subject: Subject, url: str, size: int, cost: int = COST) -> Pairs:
    """Put people and their sessions in and return tokens of some, spread over all of them."""
    print(f"Filling in {size:,} people ...", flush=True)
    more = {"SESSIONS": str(SESSIONS), "TOKENS": str(min(TOKENS, size))}
    printed = servers.fill(subject, url, cost, size, **more)
    pairs: Pairs = json.loads(printed.splitlines()[-1])
    return pairs


def ask(server: Server, name: str, wanted: Load, seconds: float) -> Measured:
    """Measure an operation."""
    operation = servers.operation(server.subject, name)
    assert operation is not None
    measured = load.run(server.url, operation, wanted, CONNECTIONS, seconds)
    if measured.refused > measured.requests / 100 or measured.broken:
        print(f"    {name}: {measured.refused} refused, {measured.broken} broken", flush=True)
    return measured


def growth(sizes: tuple[int, ...], seconds: float) -> list[str]:
    """Measure every size in turns; return a table."""
    subject = latchkey(workers="gthread")
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    chains = iter(range(10**9))
    with ExitStack() as stack:
        places = {}
        for size in sizes:
            url = stack.enter_context(servers.database("postgresql"))
            places[size] = (url, fill(subject, url, size))
        for turn in range(ROUNDS):
            for size, (url, pairs) in places.items():
                print(f"  {size:,} people, round {turn + 1} of {ROUNDS}", flush=True)
                with servers.serve(subject, url, COST) as server:
                    ask(server, "me", Load(pairs, each=True), 1)
                    found["me"][size].append(
                        ask(server, "me", Load(pairs, each=True), seconds).rate
                    )
                    first = next(chains) * CONNECTIONS
                    mine = pairs[first : first + CONNECTIONS]
                    found["refresh"][size].append(
                        ask(server, "refresh", Load(mine, chain=True), seconds).rate
                    )
                    people = Load([{}] * CONNECTIONS, people=size, start=turn * size // ROUNDS)
                    measured = ask(server, "sign_in", people, 2 * seconds)
                    found["sign-in"][size].append(measured.rate)
        found |= beside(subject, *places[sizes[-1]], sizes[-1], seconds)
    lines = ["| | " + " | ".join(f"{size:,}" for size in sizes) + " | last to first |"]
    lines.append("|---" * (len(sizes) + 2) + "|")
    for name in ("me", "refresh", "sign-in"):
        rates = [median(found[name][size]) for size in sizes]
        cells = " | ".join(f"{rate:,.1f}" for rate in rates)
        lines.append(f"| {name}, a second | {cells} | {rates[0] / rates[-1]:.2f}× slower |")
    lines += ["", f"Beside refreshes, with {sizes[-1]:,} people (99th percentile of refresh, ms):"]
    lines += ["", "| alone | while the admin list is searched | while `sessions prune` runs |"]
    cells = " | ".join(f"{found[name][0][0]:.1f}" for name in ("alone", "searched", "pruned"))
    lines += ["|---|---|---|", f"| {cells} |"]
    return lines


def beside(
    subject: Subject, url: str, pairs: Pairs, size: int, seconds: float
) -> dict[str, dict[int, list[float]]]:
    """Measure refreshes alone, beside searches of the admin list, and beside a prune."""
    found = {}
    # Of the half that is not to be pruned.
    kept = iter([pair for pair in pairs if session_of(pair["refresh"]) < PRUNED][::-1])

    def refreshes(server: Server) -> float:
        mine = Load([next(kept) for _ in range(CONNECTIONS)], chain=True)
        return ask(server, "refresh", mine, seconds).p99

    with servers.serve(subject, url, COST) as server:
        refreshes(server)
        found["alone"] = {0: [refreshes(server)]}
        variables = subject.variables(url, COST)
        flask = [str(subject.environment / "bin" / "flask")]
        role = [*flask, "user", "set-role", "person-0@example.com", "admin"]
        subprocess.run(role, cwd=subject.folder, env=variables, check=True, capture_output=True)
        sign_in = servers.operation(subject, "sign_in")
        assert sign_in is not None
        answer = servers.ask(server.url, sign_in, email="person-0@example.com")
        token = report.find(answer, "access_token")
        search = load.Operation(
            "GET", "/api/v1/users?q=person-9", {"Authorization": f"Bearer {token}"}
        )
        with meanwhile(lambda: servers.ask(server.url, search)):
            found["searched"] = {0: [refreshes(server)]}
        with servers.connected(url) as connection:
            connection.execute(
                "UPDATE sessions SET ended_at = now() - interval '90 days', "
                f"changed_at = now() - interval '90 days' WHERE id >= '{PRUNED}'"
            )
        prune = [*flask, "sessions", "prune"]
        with meanwhile(
            lambda: subprocess.run(
                prune, cwd=subject.folder, env=variables, check=True, capture_output=True
            )
        ):
            found["pruned"] = {0: [refreshes(server)]}
    return found


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Do something again and again in the background."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(120)


def flood(seconds: float) -> list[str]:
    """Measure check and refresh while twice as many sign in as bcrypt allows."""
    subject = latchkey(workers="gthread")
    bound = bcrypt_bound(COST, 2 * seconds)
    found: dict[str, list[float]] = defaultdict(list)
    with servers.database("postgresql") as url:
        pairs = fill(subject, url, 20_000)
        sign_in = servers.operation(subject, "sign_in")
        assert sign_in is not None
        with servers.serve(subject, url, COST) as server:
            first = 0

            def both(label: str) -> None:
                nonlocal first
                found[f"check {label}"].append(
                    ask(server, "check", Load(pairs, each=True), seconds).p99
                )
                mine = pairs[first : first + CONNECTIONS]
                first += CONNECTIONS
                found[f"refresh {label}"].append(
                    ask(server, "refresh", Load(mine, chain=True), seconds).p99
                )

            both("warm")
            both("idle")
            people = iter(range(20_000))

            def somebody() -> None:
                email = f"person-{next(people)}@example.com"
                # Who is turned away at once is what the bound is for.
                with servers.refusals_allowed():
                    servers.ask(server.url, sign_in, email=email)

            with paced(somebody, 2 * bound):
                time.sleep(2)
                both("flooded")
    lines = [
        f"{2 * bound:.1f} sign-ins a second, twice what bcrypt at cost {COST} allows on both "
        "cores; 99th percentiles in ms, 8 connections:",
        "",
        "| | idle | flooded | ratio |",
        "|---|---|---|---|",
    ]
    for name in ("check", "refresh"):
        idle, flooded = found[f"{name} idle"][0], found[f"{name} flooded"][0]
        lines.append(f"| {name} | {idle:.1f} | {flooded:.1f} | {flooded / idle:.1f} |")
    return lines


@contextmanager
def paced(work: Callable[[], None], rate: float) -> Iterator[None]:
    """Start something so often a second, whether or not what was started before is done."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(1 / rate):
            threading.Thread(target=work, daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        time.sleep(6)


def memory(requests: int) -> list[str]:
    """Watch the memory of the workers over very many requests."""
    subject = latchkey(workers="gthread")
    samples: list[tuple[int, float]] = []
    done = 0
    with servers.database("postgresql") as url:
        pairs = fill(subject, url, 20_000)
        with servers.serve(subject, url, COST) as server:
            turn = 0
            while done < requests:
                for name in ("check", "me", "page"):
                    done += ask(server, name, Load(pairs, each=True), 5).requests
                mine = pairs[turn * CONNECTIONS : (turn + 1) * CONNECTIONS]
                done += ask(server, "refresh", Load(mine, chain=True), 2).requests
                turn += 1
                samples.append((done, server.memory()))
                print(f"  {done:,} requests, {samples[-1][1]:.1f} MiB", flush=True)
    steps = [samples[0], samples[len(samples) // 4], samples[len(samples) // 2], samples[-1]]
    lines = ["| requests | MiB of all processes (PSS) |", "|---|---|"]
    return [*lines, *(f"| {count:,} | {size:.1f} |" for count, size in steps)]


def main() -> None:
    """Measure, and print and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--requests", type=int, default=500_000)
    options = parser.parse_args()
    load.need_wrk()
    lines = ["# Growth", "", "Made by `make bench-growth`.", "", report.machine()]
    lines += ["", "## People", "", *growth(tuple(options.sizes), options.seconds)]
    lines += ["", "## A flood of sign-ins", "", *flood(options.seconds)]
    lines += ["", "## Memory", "", *memory(options.requests)]
    text = "\n".join(lines) + "\n"
    print(text)
    if (tuple(options.sizes), options.requests) == (SIZES, 500_000):
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
