"""Start the whole site with one command and keep it running until Ctrl-C."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.migrations.loader import MigrationLoader
from django.db.utils import ConnectionHandler

from prometheus_site.core.owner import OwnerUnknownError, owner_settings
from prometheus_site.embedded.errors import EmbeddedError
from prometheus_site.embedded.home import PROJECT
from prometheus_site.embedded.startup import StartUp


class Command(BaseCommand):
    help = "Start PostgreSQL, Redis, the site, its worker and its sweeper; keep them running until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the pages; streams use the next")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            StartUp(
                home=settings.HOME,
                project=PROJECT,
                host=options["host"],
                port=options["port"],
                has_demo=not options["no_demo"],
                announce=self._announce,
                unknown_migrations=unknown_migrations,
            ).run()
        except (EmbeddedError, OwnerUnknownError) as error:
            raise CommandError(str(error)) from error

    def _announce(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()


def unknown_migrations() -> list[str]:
    """List the migrations that the database has and this version of the code does not, as `app.name`."""
    # A connection of its own: the settings were read before the first start made the passwords.
    connection = ConnectionHandler({"default": owner_settings()})["default"]
    try:
        loader = MigrationLoader(connection)
        replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
        unknown = set(loader.applied_migrations) - set(loader.disk_migrations) - replaced
    except OperationalError as error:
        reason = str(error).splitlines()[0]
        raise EmbeddedError(
            f"PostgreSQL does not answer: {reason}. Start the server DATABASE_URL names, or mend the URL."
        ) from error
    finally:
        connection.close()
    return sorted(f"{app}.{name}" for app, name in unknown)
