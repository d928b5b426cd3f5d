"""Stand in for a demo person's authenticator app."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prometheus_site.accounts.demo import NotADemoError, current_code


class Command(BaseCommand):
    help = "Print the code that the authenticator app of a demo person shows now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("who", metavar="ROLE", help="a role, or a demo person such as annotator2")

    def handle(self, *args: Any, who: str, **options: Any) -> None:
        try:
            self.stdout.write(current_code(who))
        except NotADemoError as refused:
            raise CommandError(str(refused)) from refused
