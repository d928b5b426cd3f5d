"""Print a link with which somebody sets a new password, for installations that send no mail."""

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from prometheus_site.accounts.models import User
from prometheus_site.core.installation import site_origin


class Command(BaseCommand):
    help = "Print a link that sets a new password, once. Hand it to that person and nobody else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active person with the address {email}.")
        parts = [user_pk_to_url_str(user), default_token_generator.make_token(user)]
        self.stdout.write(site_origin() + reverse("account_reset_password_from_key", args=parts))
