"""A small world of browsers, a server and a thief, to try the refresh rule in every order.

The server answers with the real :func:`~webapp.services.refresh_rule.decide`; only time is
abstract: the window of the last rotation is open or closed. :func:`explore` visits every state
that a :class:`Scenario` can reach, in every order in which its events can happen.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum
from typing import NamedTuple

from webapp.services.refresh_rule import Family, Kind, Outcome, decide

GRACE = timedelta(seconds=30)
ROTATED_AT = datetime(2026, 1, 1, tzinfo=UTC)

# Every state is renumbered to these; a generation yet to be made comes above CURRENT.
DEAD, PARENT, CURRENT = 0, 1, 2


class Window(Enum):
    """Where the clock stands beside the last rotation, at the outermost moments of each case."""

    NEW = None
    OPEN = ROTATED_AT + GRACE - timedelta(microseconds=1)
    CLOSED = ROTATED_AT + GRACE


class Actor(StrEnum):
    OWNER = "owner"
    THIEF = "thief"


class Deed(StrEnum):
    """Everything that can happen."""

    SEND = "sends"
    LOSE_REQUEST = "request is lost"
    PROCESS = "is processed"  # read and answered at once
    READ = "reads"
    ANSWER = "is answered"  # after the swap, when there is something to write
    DELIVER = "reply arrives"
    LOSE_REPLY = "reply is lost"
    CLOSE = "window ends"
    COPY = "token is copied"
    SIGN_OUT = "session is revoked"


# A tuple, as a search makes a million; flights are none, for a request would equal a reply.
class Server(NamedTuple):
    """The stored session."""

    generation: int = CURRENT
    parent: int | None = None
    window: Window = Window.NEW
    is_revoked: bool = False

    @property
    def rotated_at(self) -> datetime | None:
        return None if self.window is Window.NEW else ROTATED_AT

    @property
    def now(self) -> datetime:
        return self.window.value or ROTATED_AT


@dataclass(frozen=True, slots=True)
class Request:
    presented: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A request whose transaction has read the session and decided, and written nothing yet."""

    presented: int
    seen: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    generation: int


Flight = Request | Reading | Reply | None
Rule = Callable[[Family, int, datetime, timedelta], Outcome]


def may_swap(server: Server, reading: Reading) -> bool:
    """Whether the store may swap: nobody rotated or revoked since this request read."""
    return server.generation == reading.seen and not server.is_revoked


class World(NamedTuple):
    """Everything at one moment; each flight is one tab's request or reply, the thief's last."""

    flights: tuple[Flight, ...]
    server: Server = Server()
    jar: int = CURRENT  # one cookie jar for all tabs: the reply that arrives last overwrites it
    loot: frozenset[int] = frozenset()  # a thief throws nothing away
    opener: Actor | None = None  # whose presentation opened the window, while it is open
    holder: Actor | None = Actor.OWNER  # whom a token reached last; at sign-in, the owner
    hands: int = 0  # how often a token reached one actor after the last one reached the other


class Event(NamedTuple):
    """One thing that happened, and what the server said or did when it is about the server."""

    deed: Deed
    actor: Actor | None = None
    slot: int | None = None
    kind: Kind | None = None
    won_from: int | None = None  # the generation that a swap replaced

    def __str__(self) -> str:
        who = "" if self.slot is None else f"{'abcd'[self.slot]} "
        return f"{who}{self.deed}" + (f": {self.kind}" if self.kind else "")


# The state before, an event, and the state after it in the numbers of the state before.
Question = Callable[[World, Event, World], bool]


@dataclass(frozen=True)
class Scenario:
    """Who takes part, what may happen, and under which rule."""

    deeds: frozenset[Deed]
    tabs: int = 3
    assumptions: tuple[Question, ...] = ()  # steps that do not meet all of them never happen
    rule: Rule = decide
    may_swap: Callable[[Server, Reading], bool] = may_swap
    counts_to: int = 0  # changes of hands; at 0 who had what is left out, which saves states

    def start(self) -> World:
        """Return the world just after sign-in; a thief has a flight of their own."""
        return World(flights=(None,) * (self.tabs + (Deed.COPY in self.deeds)))


Step = tuple[Event, World]


def steps(scenario: Scenario, world: World) -> Iterator[Step]:
    """Everything that may happen next."""
    for event, after in _all_steps(scenario, world):
        if event.deed in scenario.deeds and all(
            allows(world, event, after) for allows in scenario.assumptions
        ):
            yield event, after


def _all_steps(scenario: Scenario, world: World) -> Iterator[Step]:
    for slot, flight in enumerate(world.flights):
        actor = Actor.OWNER if slot < scenario.tabs else Actor.THIEF
        yield from _flight_steps(scenario, world, slot, actor, flight)
    server = world.server
    if server.window is Window.OPEN:
        closed = server._replace(window=Window.CLOSED)
        yield Event(Deed.CLOSE), world._replace(server=closed, opener=None)
    if not world.loot:
        yield Event(Deed.COPY), world._replace(loot=frozenset({world.jar}))
    if not server.is_revoked:
        yield Event(Deed.SIGN_OUT), world._replace(server=server._replace(is_revoked=True))


def _flight_steps(
    scenario: Scenario, world: World, slot: int, actor: Actor, flight: Flight
) -> Iterator[Step]:
    match flight:
        case None if not world.server.is_revoked:  # what flies on is refused, so would this be
            for held in {world.jar} if actor is Actor.OWNER else world.loot:
                yield Event(Deed.SEND, actor, slot), _fly(world, slot, Request(held))
        case Request(presented):
            yield Event(Deed.LOSE_REQUEST, actor, slot), _fly(world, slot, None)
            if world.server.is_revoked:  # refused before the rule is asked
                for deed in (Deed.PROCESS, Deed.READ):
                    yield Event(deed, actor, slot), _fly(world, slot, None)
                return
            outcome = scenario.rule(world.server, presented, world.server.now, GRACE)
            reading = Reading(presented, world.server.generation, outcome)
            if Deed.PROCESS in scenario.deeds:
                yield _answer(scenario, world, Event(Deed.PROCESS, actor, slot), reading)
            yield Event(Deed.READ, actor, slot), _fly(world, slot, reading)
        case Reading():
            yield _answer(scenario, world, Event(Deed.ANSWER, actor, slot), flight)
        case Reply(generation):
            yield Event(Deed.LOSE_REPLY, actor, slot), _fly(world, slot, None)
            event = Event(Deed.DELIVER, actor, slot)
            yield event, _deliver(scenario, world, event, generation)


def _fly(world: World, slot: int | None, flight: Flight) -> World:
    assert slot is not None
    flights = list(world.flights)
    flights[slot] = flight
    return world._replace(flights=tuple(flights))


def _answer(scenario: Scenario, world: World, event: Event, reading: Reading) -> Step:
    """Carry out what was decided; whoever loses the swap has to read and decide again."""
    server, outcome = world.server, reading.outcome
    event = event._replace(kind=outcome.kind)
    reply = _fly(world, event.slot, Reply(outcome.generation))
    if outcome.is_refused:
        revoked = server._replace(is_revoked=True)
        return event, _fly(world, event.slot, None)._replace(server=revoked)
    if not outcome.is_written:
        return event, reply
    if not scenario.may_swap(server, reading):
        return event, _fly(world, event.slot, Request(reading.presented))
    swapped = Server(outcome.generation, outcome.parent, Window.OPEN, server.is_revoked)
    opener = event.actor if scenario.counts_to else None
    return event._replace(won_from=reading.seen), reply._replace(server=swapped, opener=opener)


def _deliver(scenario: Scenario, world: World, event: Event, generation: int) -> World:
    after = _fly(world, event.slot, None)
    if world.holder is not event.actor and world.hands < scenario.counts_to:
        after = after._replace(holder=event.actor, hands=world.hands + 1)
    if event.actor is Actor.OWNER:
        return after._replace(jar=generation)
    return after._replace(loot=world.loot | {generation})


def renumber(world: World) -> World:
    """Name the generations by their standing, which keeps the number of states finite.

    The rule asks of a generation only whether it is the current one, its parent, newer, or
    anything else, and what is anything else stays so: tests of the rule hold both.
    """
    server = world.server
    if server.generation == CURRENT:
        return world  # no swap since the last time, so every name still fits

    def name(generation: int) -> int:
        if generation >= server.generation:
            return CURRENT + generation - server.generation
        return PARENT if generation == server.parent else DEAD

    def rename(flight: Flight) -> Flight:
        match flight:
            case Request(presented):
                return Request(name(presented))
            case Reading(presented, seen, Outcome(kind, generation, parent)):
                at = None if parent is None else name(parent)
                return Reading(name(presented), name(seen), Outcome(kind, name(generation), at))
            case Reply(generation):
                return Reply(name(generation))
            case None:
                return None

    parent = None if server.parent is None else name(server.parent)
    return world._replace(
        server=server._replace(generation=CURRENT, parent=parent),
        jar=name(world.jar),
        loot=frozenset(map(name, world.loot)),
        flights=tuple(map(rename, world.flights)),
    )


@dataclass
class Search:
    """What a search saw, and the shortest story that ends in something wrong, if there is one."""

    states: int = 0
    transitions: int = 0
    kinds: set[Kind] = field(default_factory=set)
    most_hands: int = 0
    story: list[str] | None = None


def explore(scenario: Scenario, is_wrong: Question) -> Search:
    """Visit every reachable state, nearest first, until one step is wrong."""
    start = renumber(scenario.start())
    came_by: dict[World, tuple[World, Event] | None] = {start: None}
    queue, search = deque([start]), Search()
    while queue and search.story is None:
        before = queue.popleft()
        for event, moved in steps(scenario, before):
            after = renumber(moved)
            search.transitions += 1
            search.kinds |= {event.kind} if event.kind else set()
            search.most_hands = max(search.most_hands, after.hands)
            if after not in came_by:
                came_by[after] = (before, event)
                queue.append(after)
            if is_wrong(before, event, moved):
                search.story = [*_tell(came_by, before), str(event)]
                break
    search.states = len(came_by)
    return search


def _tell(came_by: dict[World, tuple[World, Event] | None], world: World) -> list[str]:
    step = came_by[world]
    return [*_tell(came_by, step[0]), str(step[1])] if step else []
