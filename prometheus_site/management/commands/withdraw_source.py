"""Withdraw a source for good: nobody can read its conversations again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets_app.withdrawal import SourceUnknownError, withdraw_source


class Command(BaseCommand):
    help = "Destroy the key of a source's texts. Its rows and the labels given on it stay. Cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the source's name, as on the page Data")
        parser.add_argument("--because", required=True, help="the reason, kept for ever; name nobody in it")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, name: str, because: str, yes: bool, **options: Any) -> None:
        if not yes and input(f"Destroy every text of “{name}” for ever? Type its name: ") != name:
            raise CommandError("Nothing was changed.")
        try:
            source = withdraw_source(name=name, because=because)
        except SourceUnknownError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{source.name} is withdrawn. Backups made before today still hold its key: expire them."
        )
