"""The register of the rooms: what a visitor can reach is listed here, and nowhere else."""

from apiflask import APIFlask

from config import Settings
from webapp.features.change_email import api as change_email_api
from webapp.features.change_email import pages as change_email_pages
from webapp.features.change_password import api as change_password_api
from webapp.features.change_password import pages as change_password_pages
from webapp.features.devices import api as devices_api
from webapp.features.devices import pages as devices_pages
from webapp.features.mailbox import pages as mailbox_pages
from webapp.features.ops import api as ops_api
from webapp.features.ops import cli as ops_cli
from webapp.features.ops import pages as ops_pages
from webapp.features.profile import api as profile_api
from webapp.features.profile import pages as profile_pages
from webapp.features.reauthenticate import api as reauthenticate_api
from webapp.features.reauthenticate import pages as reauthenticate_pages
from webapp.features.refresh import api as refresh_api
from webapp.features.refresh import pages as refresh_pages
from webapp.features.reset_password import api as reset_password_api
from webapp.features.reset_password import pages as reset_password_pages
from webapp.features.sign_in import api as sign_in_api
from webapp.features.sign_in import pages as sign_in_pages
from webapp.features.sign_out import api as sign_out_api
from webapp.features.sign_out import pages as sign_out_pages
from webapp.features.sign_up import api as sign_up_api
from webapp.features.sign_up import pages as sign_up_pages
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
    profile_api,
    ops_api,
)
DEVELOPMENT_PAGES = (mailbox_pages,)
COMMANDS = (users_cli.user, ops_cli.sessions, ops_cli.accounts, ops_cli.mail)


def open_rooms(app: APIFlask, settings: Settings) -> None:
    """Register every room's doors."""
    for door in (*PAGES, *APIS):
        app.register_blueprint(door.blueprint)
    if not settings.is_production:
        for door in DEVELOPMENT_PAGES:
            app.register_blueprint(door.blueprint)
    for command in COMMANDS:
        app.cli.add_command(command)
