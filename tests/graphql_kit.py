"""The GraphQL door as a client knocks at it."""

import json
from typing import Any

from apiflask import APIFlask
from werkzeug.test import TestResponse

from tests.doors_kit import Answer, JsonDoor
from tests.support import PASSWORD

REGISTER = """mutation ($email: String!, $password: String!) {
    register(email: $email, password: $password) { status errors { path message } payload }
}"""
LOGIN = REGISTER.replace("register(", "login(")
REFRESH = "mutation { refresh }"
LOGOUT = "mutation { logout }"
ME = "{ me { id email confirmed createdAt updatedAt } }"


class GraphqlDoor(JsonDoor):
    """A client that keeps its tokens itself; what GraphQL has no place for, it does over JSON."""

    def __init__(self, app: APIFlask) -> None:
        """Stand in front of it with no tokens."""
        super().__init__(app)
        self.access_token = self.refresh_token = ""

    def ask(self, document: str, token: str = "", **variables: Any) -> TestResponse:
        """Send a document."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"query": document, "variables": variables}
        return self.client.post("/graphql", json=body, headers=headers)

    def sign_up(self, email: str, password: str = PASSWORD, name: str = "") -> Answer:
        return answer_of_graphql(self.ask(REGISTER, email=email, password=password))

    def sign_in(self, email: str, password: str = PASSWORD, remember: bool = True) -> Answer:
        response = self.ask(LOGIN, email=email, password=password)
        if payload := payload_of(response):
            self.access_token, self.refresh_token = payload.values()
        return answer_of_graphql(response)

    def refresh(self) -> Answer:
        response = self.ask(REFRESH, self.refresh_token)
        if renewed := (response.get_json().get("data") or {}).get("refresh"):
            self.access_token = renewed
        return answer_of_graphql(response)

    def sign_out(self) -> Answer:
        return answer_of_graphql(self.ask(LOGOUT, self.refresh_token))

    def who_am_i(self) -> str | None:
        data = self.ask(ME, self.access_token).get_json()["data"]
        return str(data["me"]["email"]) if data else None


def payload_of(response: TestResponse) -> dict[str, str] | None:
    """Return the tokens in the payload of a mutation, if there are any."""
    data = response.get_json().get("data") or {}
    payload = next((v["payload"] for v in data.values() if isinstance(v, dict)), None)
    return dict(json.loads(payload)) if payload else None


def answer_of_graphql(response: TestResponse) -> Answer:
    """Read what the GraphQL door said, be it in `data` or in `errors`."""
    body = response.get_json()
    status, code, fields = response.status_code, None, frozenset[str]()
    if errors := body.get("errors"):
        extensions = errors[0]["extensions"]
        status, code = extensions["status"], extensions["code"]
    for value in (body.get("data") or {}).values():
        if isinstance(value, dict):
            status = value["status"]
            fields = frozenset(error["path"] for error in value["errors"])
    return Answer(status, code, fields, response.text, response)


def problems_of(response: TestResponse) -> set[tuple[str, str]]:
    """Return the (path, message) pairs of a mutation's response."""
    (value,) = response.get_json()["data"].values()
    return {(error["path"], error["message"]) for error in value["errors"]}


def code_of(response: TestResponse) -> str:
    """Return the stable code of a refusal."""
    return str(response.get_json()["errors"][0]["extensions"]["code"])
