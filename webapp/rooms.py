"""The register of the rooms: what a visitor can reach is listed here, and nowhere else.

But for the GraphQL door, whose part of it is graphql_rooms.py.
"""

from apiflask import APIFlask

from config import Settings
from webapp.features.admin import pages as admin_pages
from webapp.features.change_email import api as change_email_api
from webapp.features.change_email import pages as change_email_pages
from webapp.features.change_password import api as change_password_api
from webapp.features.change_password import pages as change_password_pages
from webapp.features.connections import api as connections_api
from webapp.features.connections import pages as connections_pages
from webapp.features.devices import api as devices_api
from webapp.features.devices import pages as devices_pages
from webapp.features.doctor import cli as doctor_cli
from webapp.features.keys import cli as keys_cli
from webapp.features.mailbox import pages as mailbox_pages
from webapp.features.ops import api as ops_api
from webapp.features.ops import cli as ops_cli
from webapp.features.ops import pages as ops_pages
from webapp.features.people import api as people_api
from webapp.features.people import pages as people_pages
from webapp.features.pretend import api as pretend_api
from webapp.features.pretend import pages as pretend_pages
from webapp.features.profile import api as profile_api
from webapp.features.profile import pages as profile_pages
from webapp.features.reauthenticate import api as reauthenticate_api
from webapp.features.reauthenticate import pages as reauthenticate_pages
from webapp.features.refresh import api as refresh_api
from webapp.features.refresh import pages as refresh_pages
from webapp.features.relying_parties import api as relying_parties_api
from webapp.features.reset_password import api as reset_password_api
from webapp.features.reset_password import pages as reset_password_pages
from webapp.features.sign_in import api as sign_in_api
from webapp.features.sign_in import pages as sign_in_pages
from webapp.features.sign_out import api as sign_out_api
from webapp.features.sign_out import pages as sign_out_pages
from webapp.features.sign_up import api as sign_up_api
from webapp.features.sign_up import pages as sign_up_pages
from webapp.features.social import api as social_api
from webapp.features.social import cli as social_cli
from webapp.features.social import pages as social_pages
from webapp.features.users import api as users_api
from webapp.features.users import cli as users_cli
from webapp.features.verify_email import api as verify_email_api
from webapp.features.verify_email import pages as verify_email_pages

PAGES = (
    profile_pages,
    sign_up_pages,
    verify_email_pages,
    sign_in_pages,
    sign_out_pages,
    refresh_pages,
    reset_password_pages,
    reauthenticate_pages,
    change_password_pages,
    change_email_pages,
    devices_pages,
    social_pages,
    connections_pages,
    people_pages,
    admin_pages,
    ops_pages,
)
APIS = (
    sign_up_api,
    verify_email_api,
    sign_in_api,
    refresh_api,
    sign_out_api,
    reset_password_api,
    reauthenticate_api,
    change_password_api,
    change_email_api,
    devices_api,
    social_api,
    connections_api,
    profile_api,
    users_api,
    people_api,
    relying_parties_api,
    ops_api,
)
DEVELOPMENT_PAGES = (mailbox_pages,)
PRETEND_PROVIDERS = (pretend_pages, pretend_api)
COMMANDS = (
    users_cli.user,
    users_cli.role,
    keys_cli.keys,
    ops_cli.sessions,
    ops_cli.accounts,
    ops_cli.mail,
    ops_cli.audit,
    social_cli.social,
    doctor_cli.doctor,
)


def open_rooms(app: APIFlask, settings: Settings) -> None:
    """Register every room's doors."""
    for door in (*PAGES, *APIS):
        app.register_blueprint(door.blueprint)
    if not settings.is_production:
        for door in DEVELOPMENT_PAGES:
            app.register_blueprint(door.blueprint)
        for door in PRETEND_PROVIDERS if settings.fake_providers else ():
            app.register_blueprint(door.blueprint)
    if settings.graphql:
        # Here, as most sites leave that door shut, and need not load a library for it.
        from webapp.graphql_rooms import open_graphql  # noqa: PLC0415

        open_graphql(app, settings)
    for command in COMMANDS:
        app.cli.add_command(command)
