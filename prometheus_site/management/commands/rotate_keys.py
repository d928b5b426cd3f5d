"""Rotate the master key while the site works."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from prometheus_site.core import rotation
from prometheus_site.core.keyring import MasterKeyMissingError


class Command(BaseCommand):
    help = "Make a new master key and rewrap every data key under it. Texts themselves are not touched."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rewrap-only", action="store_true", help="use the newest key that is there")

    def handle(self, *args: Any, rewrap_only: bool, **options: Any) -> None:
        try:
            if not rewrap_only:
                self.stdout.write(f"New master key {rotation.add_master_key()}.")
        except (rotation.KeysFromEnvironmentError, MasterKeyMissingError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{rotation.rewrap_data_keys()} data keys rewrapped. Keep the older master keys until every "
            "backup made before today has expired."
        )
