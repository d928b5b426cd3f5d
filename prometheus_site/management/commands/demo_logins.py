"""Show how to sign in to a demo as each role."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from prometheus_site.accounts.demo import NotADemoError, demo_logins


class Command(BaseCommand):
    help = "Print role, e-mail address and password of each demo person."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            logins = demo_logins()
        except NotADemoError as refused:
            raise CommandError(str(refused)) from refused
        width = max(len(login.email) for login in logins)
        self.stdout.write(f"{'role':<12}  {'e-mail':<{width}}  password")
        for login in logins:
            self.stdout.write(f"{login.role:<12}  {login.email:<{width}}  {login.password}")
        self.stdout.write("The second factor's code: manage.py demo_code ROLE, or demo_code annotator2.")
