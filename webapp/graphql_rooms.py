"""The GraphQL door's part of the register: rooms.py imports it where that door is to be open."""

from apiflask import APIFlask

from config import Settings
from webapp.doors.gql import endpoint, schema
from webapp.features.playground import pages as playground_pages
from webapp.features.profile import gql as profile_gql
from webapp.features.refresh import gql as refresh_gql
from webapp.features.sign_in import gql as sign_in_gql
from webapp.features.sign_out import gql as sign_out_gql
from webapp.features.sign_up import gql as sign_up_gql

GRAPHQL = (
    sign_up_gql,
    sign_in_gql,
    refresh_gql,
    sign_out_gql,
    profile_gql,
)


def open_graphql(app: APIFlask, settings: Settings) -> None:
    """Register the one GraphQL door of all rooms, and its playground in development."""
    schema.prepare(app, [door.room for door in GRAPHQL])
    app.register_blueprint(endpoint.blueprint)
    if not settings.is_production:
        app.register_blueprint(playground_pages.blueprint)
