"""Migrate as the owner of the tables, then set the application role's rights afresh."""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as DjangoMigrate

from prometheus_site.core import privileges
from prometheus_site.core.owner import OwnerUnknownError, as_owner


class Command(DjangoMigrate):
    help = "Bring the database up to this version, as its owner, and limit the application role again."

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        # Loose privileges are an error, and this command is what takes them back: it looks afterwards.
        given: Any = super().get_check_kwargs(options)
        return {**given, "databases": []}

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with as_owner() as app_role:
                super().handle(*args, **options)
                if not (options["check_unapplied"] or options["plan"]):
                    privileges.grant_to_application(app_role)
        except OwnerUnknownError as error:
            raise CommandError(str(error)) from error
        if not options["skip_checks"]:
            self.check(tags=[Tags.database], databases=[options["database"]])
