"""Those who come at the same moment, on every database: exactly one of them wins."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from apiflask import APIFlask
from sqlalchemy import Executable, func, select

from tests.processes.kit import new_address
from tests.support import SERVERS, close_app, make_settings, migrated_database
from webapp import clock
from webapp.errors import AlreadyLinked, AuthError, LastSignInMethod
from webapp.factory import create_app
from webapp.features.connections import flow as connections
from webapp.features.social import address, flow
from webapp.features.social.identity import Identity
from webapp.features.social.linking import Decision
from webapp.models import AuditEventRow, SessionRow, UserRow
from webapp.services import tokens
from webapp.services.client import Client
from webapp.services.ids import new_id
from webapp.services.secrets import digest
from webapp.services.sessions import SignedIn
from webapp.services.tokens import AccessClaims
from webapp.stores import identities, outbox, users
from webapp.stores.transactions import read, scalar, transact
from webapp.stores.users import Account

pytestmark = pytest.mark.xdist_group("social databases")
CLIENT = Client(ip="127.0.0.1", user_agent="")
AT_ONCE = 6
Works = list[Callable[[], object]]
ROUNDS = 3


@pytest.fixture(scope="module", params=["sqlite", *SERVERS])
def app(
    request: pytest.FixtureRequest, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[APIFlask]:
    """An application on each kind of database in turn."""
    folder = tmp_path_factory.mktemp("races")
    given = {"fake_providers": ("google", "github"), "email_verification": "optional"}
    with migrated_database(request.param, migrated_file, folder) as url:
        app = create_app(make_settings(url, **given))
        yield app
        close_app(app)


def race(app: APIFlask, works: Sequence[Callable[[], object]]) -> list[object]:
    """Do all of it at once; return what came of each, errors of ours among it."""
    barrier = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(number: int) -> None:
        with app.app_context():
            barrier.wait(30)
            try:
                results[number] = works[number]()
            except AuthError as error:
                results[number] = error
            except Exception as error:
                results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def kinds(results: Sequence[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def person(provider: str = "google", email: str = "", subject: str = "") -> Identity:
    email = email or new_address()
    return Identity(provider, subject or email, email, True, "Ann Lee")


def enter(app: APIFlask, identity: Identity) -> SignedIn:
    with app.app_context():
        found = flow.enter(identity, CLIENT)
    assert isinstance(found, SignedIn)
    return found


def claims_of(app: APIFlask, signed_in: SignedIn) -> AccessClaims:
    with app.app_context():
        return tokens.read_access(signed_in.access_token)


def subjects_of(app: APIFlask, user_id: str) -> list[str]:
    with app.app_context():
        return [item.subject for item in read(lambda: identities.all_of(user_id))]


def count(app: APIFlask, query: Executable) -> int:
    with app.app_context():
        return read(lambda: int(scalar(query) or 0))


def test_first_sign_ins_of_one_person_make_one_account(app: APIFlask) -> None:
    for _ in range(ROUNDS):
        identity = person()
        results = race(app, [partial(flow.enter, identity, CLIENT)] * AT_ONCE)
        assert kinds(results) == {"SignedIn": AT_ONCE}, results
        assert len({found.account.id for found in results if isinstance(found, SignedIn)}) == 1
        assert count(app, select(func.count()).where(UserRow.email == identity.email)) == 1


def test_two_providers_with_one_new_address_make_one_account(app: APIFlask) -> None:
    """One has the account; the other one has to prove it."""
    for _ in range(ROUNDS):
        email = new_address()
        works = [
            partial(flow.enter, person(provider, email), CLIENT)
            for provider in ("google", "github")
        ]
        results = race(app, works)
        assert kinds(results) == {"SignedIn": 1, "Decision": 1}, results
        assert Decision.PROVE_ACCOUNT in results
        (found,) = [result for result in results if isinstance(result, SignedIn)]
        assert len(subjects_of(app, found.account.id)) == 1


def test_an_unproved_account_is_given_to_one(app: APIFlask) -> None:
    for _ in range(ROUNDS):
        email, now = new_address(), clock.now()
        account = Account(new_id(), email, None, "", "x", now, now)
        with app.app_context():
            transact(partial(users.add, account))
        works = [
            partial(flow.enter, person("google", email, f"{number} {email}"), CLIENT)
            for number in range(AT_ONCE)
        ]
        results = race(app, works)
        assert kinds(results) == {"SignedIn": 1, "Decision": AT_ONCE - 1}, results
        assert len(subjects_of(app, account.id)) == 1
        events = select(func.count()).where(
            AuditEventRow.user_id == account.id, AuditEventRow.event == "given_to_owner"
        )
        assert count(app, events) == 1


def test_of_the_last_two_ways_in_one_stays(app: APIFlask) -> None:
    for _ in range(ROUNDS):
        signed_in = enter(app, person("google"))
        claims = claims_of(app, signed_in)
        with app.app_context():
            connections.link(person("github"), claims, CLIENT)
        works = [
            partial(connections.unlink, provider, claims, CLIENT)
            for provider in ("google", "github")
        ]
        results = race(app, works)
        assert kinds(results) == {"NoneType": 1, LastSignInMethod.__name__: 1}, results
        assert len(subjects_of(app, signed_in.account.id)) == 1


def test_one_identity_is_linked_to_one_account(app: APIFlask) -> None:
    for _ in range(ROUNDS):
        identity = person("github")
        both = [claims_of(app, enter(app, person("google"))) for _ in range(2)]
        results = race(
            app, [partial(connections.link, identity, claims, CLIENT) for claims in both]
        )
        assert kinds(results) == {"NoneType": 1, AlreadyLinked.__name__: 1}, results
        with app.app_context():
            found = read(partial(identities.find, identity.provider, identity.subject))
        assert found
        assert found.user_id == both[results.index(None)].user_id


def test_an_account_has_one_identity_of_a_provider(app: APIFlask) -> None:
    for _ in range(ROUNDS):
        signed_in = enter(app, person("google"))
        claims = claims_of(app, signed_in)
        works = [partial(connections.link, person("github"), claims, CLIENT) for _ in range(2)]
        results = race(app, works)
        assert kinds(results) == {"NoneType": 1, AlreadyLinked.__name__: 1}, results
        assert len(subjects_of(app, signed_in.account.id)) == 2


def test_linking_and_first_sign_in_of_one_identity(app: APIFlask) -> None:
    """Whoever comes first has it; the identity ends at one account in either case."""
    for _ in range(ROUNDS):
        identity = person("github")
        claims = claims_of(app, enter(app, person("google")))
        works: Works = [
            partial(connections.link, identity, claims, CLIENT),
            partial(flow.enter, identity, CLIENT),
        ]
        linked, entered = race(app, works)
        assert isinstance(entered, SignedIn), entered
        if linked is None:
            assert entered.account.id == claims.user_id
        else:
            assert isinstance(linked, AlreadyLinked)
            assert entered.account.id != claims.user_id


def test_a_state_is_spent_once(app: APIFlask) -> None:
    state = digest(new_address())
    works = [
        lambda: transact(lambda: identities.spend_state(state, clock.now()))
    ] * AT_ONCE  # fmt: skip
    assert Counter(race(app, works)) == {True: 1, False: AT_ONCE - 1}


def test_a_link_proves_an_address_once(app: APIFlask) -> None:
    email = new_address()
    identity = Identity("github", new_address(), None, False, "Ann Lee")
    with app.app_context():
        address.ask_for_proof(identity, email, "mark", CLIENT)
        (mail,) = [m for m in read(lambda: outbox.latest(500)) if m.recipient == email]
    token = next(word for word in mail.text.split() if "?token=" in word).partition("=")[2]
    results = race(app, [lambda: address.prove(token, "mark", CLIENT)] * AT_ONCE)
    assert kinds(results) == {"SignedIn": 1, "LinkInvalid": AT_ONCE - 1}, results


def test_whoever_asks_for_many_links_at_once_has_one_that_works(app: APIFlask) -> None:
    email = new_address()
    identity = Identity("github", new_address(), None, False, "Ann Lee")
    works = [lambda: address.ask_for_proof(identity, email, "mark", CLIENT)] * AT_ONCE
    assert kinds(race(app, works)) == {"NoneType": AT_ONCE}


def test_subjects_that_look_alike_are_different_people(app: APIFlask) -> None:
    """MariaDB's usual collations take capitals for small letters."""
    base = new_address()
    found = {
        enter(app, person("google", subject=subject)).account.id
        for subject in (base, base.upper(), base.replace("@", " @"))
    }
    assert len(found) == 3


def test_signing_in_and_unlinking_at_once_leave_no_session_behind(app: APIFlask) -> None:
    """Either the sign-in came first, or it makes an account of its own."""
    for _ in range(ROUNDS):
        first, second = person("google"), person("github")
        signed_in = enter(app, first)
        claims = claims_of(app, signed_in)
        with app.app_context():
            connections.link(second, claims, CLIENT)
        works: Works = [
            partial(connections.unlink, "github", claims, CLIENT),
            partial(flow.enter, second, CLIENT),
        ]
        unlinked, entered = race(app, works)
        assert unlinked is None
        assert isinstance(entered, SignedIn)
        is_same = entered.account.id == signed_in.account.id
        sessions = select(func.count()).where(SessionRow.user_id == signed_in.account.id)
        assert count(app, sessions) == (2 if is_same else 1)
