"""Make an invitation link on the command line: how the first lead comes in."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.urls import reverse

from prometheus_site.accounts import services
from prometheus_site.accounts.roles import Role
from prometheus_site.core.installation import site_origin


class Command(BaseCommand):
    help = "Print a link that lets one person in, once, with a role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("role", metavar="ROLE", choices=Role.values, help=", ".join(Role.values))

    def handle(self, *args: Any, email: str, role: str, **options: Any) -> None:
        try:
            validate_email(email)
            invitation, token = services.invite(email=email, role=Role(role), invited_by=None)
        except ValidationError as wrong:
            raise CommandError(f"{email!r} is not an e-mail address.") from wrong
        except services.AccountsError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(site_origin() + reverse("accounts:accept_invitation", args=[token]))
        self.stderr.write(
            f"Works once, until {invitation.expires_at:%d %B %Y, %H:%M} UTC. Send it to nobody else."
        )
