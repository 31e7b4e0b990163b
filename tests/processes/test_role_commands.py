"""Roles from the shell: how the first administrator comes to be."""

import pytest

from tests.support import PASSWORD, environment_of, run_command

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return environment_of(DATABASE_URL=database_url)


def flask(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = run_command(*arguments, environment=environment, check=False)
    lines = [line for line in done.stderr.splitlines() if "audit" not in line]
    return done.exit_code, (done.stdout + "\n".join(lines)).strip()


def create(environment: dict[str, str], email: str, *options: str) -> None:
    arguments = ("--email", email, "--password", PASSWORD, "--verified", *options)
    assert flask(environment, "user", "create", *arguments)[0] == 0


def test_from_the_first_administrator_to_the_next(environment: dict[str, str]) -> None:
    create(environment, ADA, "--role", "admin")
    create(environment, BOB)
    said = flask(environment, "user", "set-role", ADA, "user")
    assert said == (1, "Error: This is the last administrator. Make somebody else one first.")
    assert flask(environment, "user", "disable", ADA)[0] == 1
    assert flask(environment, "user", "set-role", BOB, "admin") == (0, f"{BOB}: user, admin.")
    assert flask(environment, "user", "set-role", BOB, "admin")[0] == 0
    assert flask(environment, "user", "set-role", ADA, "user") == (0, f"{ADA}: user.")
    listed = flask(environment, "user", "list")[1].splitlines()
    assert [line.split()[1:3] for line in listed] == [[ADA, "user"], [BOB, "user,admin"]]


def test_a_role_is_made_before_it_is_given(environment: dict[str, str]) -> None:
    create(environment, ADA)
    status, says = flask(environment, "user", "set-role", ADA, "editor")
    assert (status, "There is no role “editor”" in says) == (1, True)
    assert flask(environment, "role", "create", "editor") == (0, "Created the role editor.")
    assert flask(environment, "role", "create", "editor")[0] == 0
    assert flask(environment, "user", "set-role", ADA, "editor") == (0, f"{ADA}: user, editor.")
    assert flask(environment, "role", "create", "No such name")[0] == 1
    assert flask(environment, "user", "set-role", "nobody@example.com", "admin") == (
        1,
        "Error: There is no account with that address.",
    )
