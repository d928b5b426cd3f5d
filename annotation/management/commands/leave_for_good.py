"""Let a person leave for good: labels stay under the code, the person's data becomes unreadable."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.rights.services import leave_for_good
from prometheus_site.accounts.models import User
from prometheus_site.accounts.services import LastLeadError


class Command(BaseCommand):
    help = (
        "End a person's sessions, give their samples to others, remove name and address and destroy the key "
        "of everything they wrote. Labels, hours and signatures stay under the code. Cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the person's code, such as C-7F3A9C")
        parser.add_argument("--because", required=True, help="the reason, kept for ever; name nobody in it")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, code: str, because: str, yes: bool, **options: Any) -> None:
        person = User.objects.filter(code=code).first()
        if person is None:
            raise CommandError(f"Nobody has the code {code}.")
        if not yes and input(f"Make what {code} wrote unreadable for ever? Type the code: ") != code:
            raise CommandError("Nothing was changed.")
        try:
            leave_for_good(person=person, because=because)
        except LastLeadError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(
            f"{code} has left. Write the code and the date into your register of withdrawals. Backups made "
            "before today still hold the key: expire them."
        )
