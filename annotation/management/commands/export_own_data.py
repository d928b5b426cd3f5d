"""Write a person's own data to a file, to be handed to that person only."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.rights.own_data import own_data_of
from prometheus_site.accounts.models import User
from prometheus_site.audit.models import Action
from prometheus_site.audit.services import record_access


class Command(BaseCommand):
    help = "Write everything kept about one person as JSON. Hand the file to that person and nobody else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="the person's code, such as C-7F3A9C")
        parser.add_argument("file", type=Path, help="where to write it; must not exist yet")

    def handle(self, *args: Any, code: str, file: Path, **options: Any) -> None:
        person = User.objects.filter(code=code).first()
        if person is None:
            raise CommandError(f"Nobody has the code {code}.")
        try:
            with file.open("xb") as written:
                file.chmod(0o600)
                written.write(own_data_of(person))
        except OSError as failed:
            raise CommandError(f"{file} was not written: {failed.strerror}.") from failed
        record_access(actor=None, action=Action.EXPORTED, obj_type="own_data", obj_id=str(person.pk))
        self.stdout.write(f"{file} holds what is kept about {code}. It can be read by you alone.")
