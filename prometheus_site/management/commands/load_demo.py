"""Fill an empty database with the demonstration: synthetic conversations and made-up people."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from annotation.demo.services import DemoNotLoadedError, load_demo_campaign
from prometheus_site.accounts.demo import DEMO_PEOPLE, create_demo_people
from prometheus_site.accounts.models import User
from prometheus_site.accounts.roles import Role
from prometheus_site.core.installation import is_demo, mark_demo


class Command(BaseCommand):
    help = "Load the demonstration into an empty database, which is then marked as a demo for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing where there are people already"
        )

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        if is_demo():
            self.stdout.write("The demonstration is loaded already.")
            return
        if User.objects.exists():
            if if_empty:
                return
            raise CommandError(
                "This database holds real people, so no demonstration goes into it. Start with another "
                "PROMETHEUS_HOME or DATABASE_URL to see the demonstration."
            )
        try:
            with transaction.atomic():
                mark_demo()
                lead = create_demo_people()[Role.LEAD]
                people = User.objects.filter(email__in=[person.email for person in DEMO_PEOPLE])
                working = [user for user in people if user.has_role(Role.ANNOTATOR, Role.ADJUDICATOR)]
                campaign = load_demo_campaign(lead=lead, members=working)
        except DemoNotLoadedError as error:
            raise CommandError(f"The demonstration was not loaded, and nothing was kept: {error}") from error
        self.stdout.write(f"Demonstration loaded: {campaign.samples.count()} samples, {len(people)} people.")
